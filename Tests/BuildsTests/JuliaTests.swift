import Foundation
import Models
import TestSupport
import Testing

@testable import Builds

private let sockets = "Sockets = \"6462fe0b-24de-5631-8697-dd941f90decc\"\n"
private let tides = "3e0ca2cf-4a5c-4a0c-9a58-3c2b6f4f6b01"

private func app(_ project: String, _ more: [String: String] = [:]) -> [String: String] {
    ["Project.toml": project, "app.jl": "using Sockets\n"].merging(more) { $1 }
}

/// The Julia is Debian's 1.5.3; the Julia project's own archives and its package servers were not reachable where this was
/// written.
@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `Julia apps in a real engine` {
    @Test func `Julia is fetched and checked, packages are instantiated, and what cannot be had is told`() async throws {
        try await JuliaSite.serve { site in
            try await withWorkshop({ ($0.settings, $0.platformID) = (["julia.url": site.url], "julia") }) { shop in
                let image = try await installs(shop)
                try await refuses(shop, Self.refusals(site.url))
                let nowhere = "http://ada:hunter22@127.0.0.1:9"
                try await withWorkshop({ ($0.settings, $0.platformID) = (["julia.url": nowhere], "julia") }) { shop in
                    try await refuses(shop, Self.unreachable)
                }
                // A base image that has Julia needs no site.
                try await withWorkshop({
                    ($0.settings, $0.platformID, $0.baseImage) = (["julia.url": nowhere], "julia", image)
                }) { shop in
                    let heard = Heard()
                    _ = try await shop.build(app("[deps]\n" + sockets, ["Manifest.toml": "[[Sockets]]\n" + Self.uuid]), log: heard.log)
                    #expect(await heard.contains("using Julia 1.5.3 of the base image"))
                }
            }
        }
    }

    private static let uuid = "uuid = \"6462fe0b-24de-5631-8697-dd941f90decc\"\n"

    /// - Returns: the image's name.
    private func installs(_ shop: Workshop) async throws -> String {
        let files = app(
            "[deps]\n\(sockets)Tides = \"\(tides)\"\n\n[compat]\njulia = \"1.4, 1.5\"\n",
            [
                "Manifest.toml":
                    "[[Sockets]]\n\(Self.uuid)\n[[Tides]]\npath = \"packages/Tides\"\nuuid = \"\(tides)\"\nversion = \"0.1.0\"\n",
                "packages/Tides/Project.toml": "name = \"Tides\"\nuuid = \"\(tides)\"\nversion = \"0.1.0\"\n",
                "packages/Tides/src/Tides.jl": "module Tides\nhigh() = 7\nend\n",
            ])
        let heard = Heard()
        let built = try await shop.build(files, log: heard.log)
        #expect(await heard.contains("buildpack julia: found Project.toml"))
        #expect(await heard.contains("recognised Julia script in app.jl (it is there), starting it with: julia app.jl"))
        #expect(await heard.contains("using Julia 1.5.3"))
        let script = "using Tides; println(Tides.high(), \" \", Base.active_project(), \" \", first(DEPOT_PATH))"
        let said = try await shop.run(built.image.reference, "sh", "-c", "id -u; julia -e '\(script)'; ls -d /opt/depot/*")
        #expect(said == "10001\n7 /app/Project.toml /tmp/julia\n/opt/depot/compiled\n", "compiled in the layer, and nothing of Pkg's own")

        let again = Heard()
        _ = try await shop.build(files.merging(["app.jl": "using Tides\n"]) { $1 }, log: again.log)
        #expect(await again.contains("packages are unchanged"))
        let changed = Heard()
        _ = try await shop.build(files.merging(["packages/Tides/src/Tides.jl": "module Tides\nend\n"]) { $1 }, log: changed.log)
        #expect(await changed.contains("using Julia 1.5.3"), "a package of the repository keys the layer")
        return built.image.reference
    }

    private typealias Refusal = (files: [String: String], message: String, hint: String)

    private func refuses(_ shop: Workshop, _ cases: [Refusal]) async throws {
        for (files, message, hint) in cases {
            let heard = Heard()
            let error = await refused { try await shop.build(files, log: heard.log) }
            #expect(error?.code == .appFailed)
            #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
            #expect(error?.hint == hint)
            for text in ["moor-error", "hunter22"] { #expect(await !heard.contains(text)) }
        }
    }

    private static let admin =
        "the platform's admin can set julia.url to a mirror that builds reach, or base.image to an image that has julia"

    private static let unreachable: [Refusal] = [
        (
            app("[deps]\n" + sockets),
            "Julia could not be fetched from http://127.0.0.1:9/bin/versions.json: [Errno 111] Connection refused",
            admin
        )
    ]

    private static func refusals(_ site: String) -> [Refusal] {
        func asks(_ version: String) -> [String: String] { app("[deps]\n\(sockets)[compat]\njulia = \"\(version)\"\n") }
        return [
            (
                app("[deps]\nBuoys = \"buoys\"\n", ["Manifest.toml": ""]),
                "Pkg could not install what the project asks for: Malformed value for `Buoys` in `deps` section.",
                "the lines above are Pkg's own"
            ),
            (
                app("[deps]\nBuoys = \"\(tides)\"\n"), "Julia before 1.6 fetches packages with curl, which is not there",
                "write curl into a file named apt-packages, or ask for a newer julia under [compat]"
            ),
            (asks("2"), "Project.toml line 4 asks for Julia 2; there is 1.5.3, 1.4.0, 1.3.0", "ask for one of these"),
            (asks("1.6"), "Project.toml line 4 asks for Julia 1.6; there is 1.5.3, 1.4.0, 1.3.0", "ask for one of these"),
            (asks("newest"), "Project.toml line 4: “newest” cannot be read", "write it as julia = \"1.10\""),
            (
                asks("~1.4"), "Julia could not be fetched: there is no \(site)/bin/linux/x64/1.4/julia-1.4.0-linux-x86_64.tar.gz", admin
            ),
            (
                asks("=1.3.0"),
                "what \(site)/bin/linux/x64/1.5/julia-1.5.3-linux-x86_64.tar.gz gives is not what its published SHA-256 says",
                "push again; if it stays so, \(admin)"
            ),
            (
                app(
                    "[deps]\nBuoys = \"\(tides)\"\n",
                    [
                        "Manifest.toml":
                            "[[Buoys]]\nuuid = \"\(tides)\"\nversion = \"0.1.0\"\nrepo-url = \"http://127.0.0.1:9/Buoys.git\"\n"
                            + "repo-rev = \"main\"\ngit-tree-sha1 = \"0000000000000000000000000000000000000001\"\n"
                    ]), "Pkg could not fetch what the project asks for: failed to clone from http://127.0.0.1:9/Buoys.git",
                "try again; if builds reach no package server, name one that they do: moor config set --build JULIA_PKG_SERVER=https://…"
            ),
        ]
    }
}
