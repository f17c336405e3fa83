import Engine
import Foundation
import Models
import Store
import Subprocess
import TestSupport
import Testing

@testable import Builds

extension Workshop {
    /// Looks for values, as they are and in Base64, wherever builds might leave them: the image's files, its settings and
    /// history, the layers and caches that are kept, the logs and the builds' rows.
    func expectNowhere(
        _ values: [String], _ built: (image: BuiltImage, buildID: BuildID), _ heard: Heard,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let reference = built.image.reference
        let places = folder.appending(path: "searched")
        try FileManager.default.createDirectory(at: places, withIntermediateDirectories: true)
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: places.appending(path: name))
        }
        try write("terminal", await heard.lines.joined(separator: "\n"))
        try write("inspect", try await podman.podman("image", "inspect", reference))
        try write("history", try await podman.podman("history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Comment}}", reference))
        for build in try await states() {
            try write("build-\(build.id ?? 0)", "\(build.failure ?? "")\n\(try await service.log(of: try #require(build.id)))")
        }
        for (number, layer) in try await engine.images().flatMap(\.references).filter(ImageNames.isLayer).enumerated() {
            try write("layer-\(number)", try await podman.podman("image", "inspect", layer))
        }
        try await podman.podman("save", "--output", places.appending(path: "image.tar").path, reference)
        let volumes = try await podman.podman("volume", "ls", "--format", "{{.Name}}").split(separator: "\n").map(String.init)
        #expect(volumes.contains(ImageNames.cache(platformID, app.id!)), sourceLocation: sourceLocation)
        for volume in volumes {
            try await podman.podman("volume", "export", "--output", places.appending(path: "\(volume).tar").path, volume)
        }
        let texts = values.flatMap { [$0, Data($0.utf8).base64EncodedString()] }
        let found = try await Self.files(with: texts, in: places)
        #expect(found == "", "a value is in these", sourceLocation: sourceLocation)
        // The search itself finds what is there.
        let known = try await Self.files(with: [reference, "ustar"], in: places)
        for name in ["inspect", "image.tar", "cache"] { #expect(known.contains(name), sourceLocation: sourceLocation) }
        try FileManager.default.removeItem(at: places)
    }

    private static func files(with texts: [String], in folder: URL) async throws -> String {
        let options = ["--recursive", "--text", "--fixed-strings", "--files-with-matches"] + texts.flatMap { ["-e", $0] }
        let result = try await Subprocess.run(
            .name("grep"), arguments: .init(options + [folder.path]), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        #expect(result.standardError == "")
        return result.standardOutput
    }
}
