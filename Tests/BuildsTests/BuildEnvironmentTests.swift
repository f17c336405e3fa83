import Foundation
import Testing

@testable import Builds

struct BuildEnvironmentTests {
    @Test func `what builds must reach is read from the environment and from the buildpacks' settings`() {
        let host = [
            "UV_INDEX": "ours=https://packages.example.com/simple", "https_proxy": "http://proxy.example.com:3128", "NO_PROXY": "x",
        ]
        let settings = [
            "conda.channels": "conda-forge, http://channels.example.com:8000/c", "cran.url": "https://cran.example.com",
            "conda.mirrors": "conda-forge=http://mirror.example.com file-channel=file:///srv/channel",
        ]
        let endpoints = BuildEnvironment.endpoints(host, settings: settings)
        let expected = [
            "channels.example.com:8000", "cran.example.com:443", "mirror.example.com:80", "packages.example.com:443",
            "proxy.example.com:3128",
        ]
        // Debian's own mirror is among them, whichever this host has.
        #expect(endpoints.filter { $0.contains("example.com") } == expected)
    }

    @Test func `a relative root gives folders that can be mounted`() throws {
        let here = FileManager.default.currentDirectoryPath
        let up = here.split(separator: "/").map { _ in ".." }.joined(separator: "/")
        let packs = try Buildpack.load(roots: ["\(up)\(shippedBuildpacks)"])
        #expect(packs.count > 4 && packs.allSatisfy { $0.folder.hasPrefix("/") && !$0.folder.contains("..") })
    }
}
