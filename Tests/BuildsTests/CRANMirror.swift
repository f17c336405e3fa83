import Foundation
import Subprocess
import TestSupport
import Testing

/// A mirror of CRAN in small, made by the tests and served over HTTP: source packages in `src/contrib`, listed in PACKAGES.
struct CRANMirror: Sendable {
    var server: ServedFolder

    /// `tern` stands on a package that Debian has, `anchor` is written in C, and the code of `wreck` is no R.
    private static let packages: [(name: String, fields: String, files: [String: String])] = [
        ("tern", "Imports: brew", ["NAMESPACE": "export(call)\n", "R/call.R": "call <- function() 'kik-kik'\n"]),
        (
            "anchor", "NeedsCompilation: yes",
            ["NAMESPACE": "useDynLib(anchor)\n", "src/anchor.c": "int anchor_depth(void) { return 7; }\n"]
        ),
        ("wreck", "NeedsCompilation: no", ["NAMESPACE": "export(sink)\n", "R/sink.R": "sink <- function( {\n"]),
    ]

    static func serve(_ body: @Sendable (CRANMirror) async throws -> Void) async throws {
        try await withScratchFolder { folder in
            let contrib = folder.appending(path: "mirror/src/contrib")
            try FileManager.default.createDirectory(at: contrib, withIntermediateDirectories: true)
            var index = ""
            for package in packages {
                let described = "Package: \(package.name)\nVersion: 1.0\n\(package.fields)\n"
                index += described + "\n"
                let about = described + "Title: Of The Tests\nDescription: Of the tests.\nAuthor: Ada\nMaintainer: Ada <ada@example.com>\n"
                for (path, text) in package.files.merging(["DESCRIPTION": about + "License: MIT\n"], uniquingKeysWith: { $1 }) {
                    let file = folder.appending(path: "\(package.name)/\(path)")
                    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                    try Data(text.utf8).write(to: file)
                }
                let archive = contrib.appending(path: "\(package.name)_1.0.tar.gz").path
                let packed = try await run(
                    .name("tar"), arguments: ["--create", "--gzip", "--file", archive, "--directory", folder.path, package.name],
                    output: .discarded, error: .discarded)
                #expect(packed.terminationStatus.isSuccess)
            }
            try Data(index.utf8).write(to: contrib.appending(path: "PACKAGES"))
            try await ServedFolder.serve(folder.appending(path: "mirror").path) { try await body(CRANMirror(server: $0)) }
        }
    }
}
