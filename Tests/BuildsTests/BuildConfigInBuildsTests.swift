import Builds
import Engine
import Foundation
import GRDB
import Logging
import Models
import Store
import Synchronization
import TestSupport
import Testing

@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `Build config in a real engine` {
    static let secret = "s3cr/t+value with=äll"

    /// Everything that the platform's own log is told, at its most talkative.
    private struct Memory: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.add("\(event.message) \(metadata) \(event.metadata ?? [:])") }
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var text: String { lines.withLock { $0.joined(separator: "\n") } }
    }

    /// Prints the value in many disguises, and fails where the app says so.
    private static let script =
        "echo \\\"$TOKEN\\\"; printf '%s' \\\"$TOKEN\\\" | base64; printf 'ada:%s' \\\"$TOKEN\\\" | base64; "
        + "python3 -c 'import os, urllib.parse; print(urllib.parse.quote(os.environ[\\\"TOKEN\\\"], safe=\\\"\\\"))'; env; "
        + "test -n \\\"$TOKEN\\\" && echo given; ! test -e /app/fail.txt"

    private static func pack(_ folder: URL) throws -> String {
        let pack = folder.appending(path: "packs/loud")
        try FileManager.default.createDirectory(at: pack, withIntermediateDirectories: true)
        let rule = "id: loud\nsummary: x\nfix: x\nrules:\n  - files: [loud.txt]\n    dependencies: [loud.txt, fail.txt]\n    install: go\n"
        try Data(rule.utf8).write(to: pack.appending(path: "buildpack.yaml"))
        let file = """
            FROM {{base}} AS apt
            RUN test -z "$TOKEN" && echo apt has no token
            FROM apt AS dependencies
            WORKDIR /app
            COPY {{dependencies}} /app/
            RUN \(script.replacing("\\\"", with: "\""))
            FROM dependencies
            COPY . /app/

            """
        try Data(file.utf8).write(to: pack.appending(path: "Containerfile"))
        return folder.appending(path: "packs").path
    }

    /// Every disguise that is looked for.
    private static var disguises: [String] {
        [
            secret, Data(secret.utf8).base64EncodedString(),
            String(Data("ada:\(secret)".utf8).base64EncodedString().dropFirst(8).dropLast(2)),
            "s3cr%2Ft%2Bvalue%20with%3D%C3%A4ll", "s3cr/t",
        ]
    }

    @Test func `a value is given to the commands and is in no layer, log, label or history`() async throws {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in Memory(lines: lines) }
        try await withWorkshop(packs: Self.pack, logger: logger) { shop in
            await shop.service.attach(.init(values: { _ throws(MoorError) in ["TOKEN": Self.secret] }))
            let heard = Heard()
            let files = ["loud.txt": "1", "Procfile": "web: x"]
            let built = try await shop.build(files, log: heard.log)
            #expect(await heard.contains("given"))
            #expect(await heard.contains("apt has no token"), "what all apps share is made without one app's values")
            #expect(await heard.lines.filter { $0.contains("••••") }.count >= 4)
            let error = await failure { try await shop.build(files.merging(["fail.txt": ""]) { $1 }, log: heard.log) }
            #expect(error?.code == .appFailed)
            #expect(error?.detail.contains { $0.contains("••••") } == true)

            let reference = built.image.reference
            let archive = shop.folder.appending(path: "image.tar").path
            try await shop.podman.podman("save", "--output", archive, reference)
            let archived = try Data(contentsOf: URL(filePath: archive))
            var texts = [
                "terminal": await heard.lines.joined(separator: "\n"),
                "kept log": try await shop.service.log(of: built.buildID),
                "failed log": try await shop.service.log(of: try #require(try await shop.states().first?.id)),
                "error": error?.description ?? "", "platform's log": lines.text,
                "inspect": try await shop.podman.podman("image", "inspect", reference),
                "history": try await shop.podman.podman("history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Comment}}", reference),
                "rows": try await shop.states().map { $0.failure ?? "" }.joined(),
            ]
            for layer in try await shop.engine.images().flatMap(\.references) where layer.contains(":deps-") {
                texts[layer] = try await shop.podman.podman("image", "inspect", layer)
            }
            for disguise in Self.disguises {
                #expect(archived.range(of: Data(disguise.utf8)) == nil, "in a layer: \(disguise)")
                for (place, text) in texts { #expect(!text.contains(disguise), "in \(place): \(disguise)") }
            }
            #expect(!archived.isEmpty && texts.count > 9)
            #expect(lines.text.contains("build failed"))
        }
    }

    @Test func `a changed value makes no layer anew`() async throws {
        try await withWorkshop(packs: Self.pack) { shop in
            let files = ["loud.txt": "1", "Procfile": "web: x"]
            await shop.service.attach(.init(values: { _ throws(MoorError) in ["TOKEN": "first-token"] }))
            _ = try await shop.build(files)
            await shop.service.attach(.init(values: { _ throws(MoorError) in ["TOKEN": "second-token"] }))
            let heard = Heard()
            _ = try await shop.build(files.merging(["more.txt": ""]) { $1 }, log: heard.log)
            #expect(await heard.contains("packages are unchanged"))
            #expect(await !heard.contains("given"))
        }
    }
}
