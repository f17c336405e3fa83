import Foundation
import Models
import TestSupport
import Testing

@testable import Platform

struct ConfigurationTests {
    @Test func `the shipped file names every key with its default and changes nothing`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "config/moorage.yaml")
        let configuration = try PlatformConfiguration.load(file: file.path, environment: [:])
        #expect(configuration.listenPort == 8080)
        let text = try String(contentsOf: file, encoding: .utf8)
        let uncommented = text.split(separator: "\n").map { $0.replacing(/# (?=[a-z]+: )/, with: "") }.joined(separator: "\n")
        try withFile(uncommented) { path in
            let spelledOut = try PlatformConfiguration.load(file: path, environment: [:])
            #expect(spelledOut.buildTimeout == configuration.buildTimeout)
            #expect(spelledOut.pushLimitBytes == configuration.pushLimitBytes)
        }
        for key in ConfigurationKey.all {
            #expect(text.contains("# \(key.name.split(separator: ".").last!): "), "\(key.name) is not in config/moorage.yaml")
        }
    }

    @Test(arguments: [
        ("listen: nonsense", "line 1: listen is “nonsense”, expected an address and port"),
        ("data: x\n\nengine:\n  sokcet: /x", "line 4: unknown key “engine.sokcet”"),
        ("domian: example.com", "line 1: unknown key “domian”"),
        ("data: x\nrollout:\n  drain: soon", "line 3: rollout.drain is “soon”, expected a time"),
        ("listen: [a, b]", "line 1: listen is a list"),
        ("demo: perhaps", "line 1: demo is “perhaps”, expected true or false"),
        ("a: b: c", "YAML"),
    ])
    func `a bad file is refused with file, line and what was expected`(text: String, message: String) throws {
        try withFile(text) { path in
            let error = #expect(throws: MoorError.self) { try PlatformConfiguration.load(file: path, environment: [:]) }
            let said = error.map { "\($0)" } ?? ""
            #expect(said.contains(message) && said.contains(path), "\(said)")
        }
    }

    @Test func `the environment wins over the file, and a misspelt variable is named with the right one`() throws {
        try withFile("listen: 127.0.0.1:1\nengine:\n  socket: /a") { path in
            let configuration = try PlatformConfiguration.load(
                file: path, environment: ["MOOR_LISTEN": "[::1]:9", "MOOR_ENGINE_SOCKET": "/b", "MOOR_TOKEN": "x"])
            #expect(configuration.listenHost == "::1")
            #expect(configuration.listenPort == 9)
            #expect(configuration.engineSocket == "/b")
        }
        let error = #expect(throws: MoorError.self) { try PlatformConfiguration.load(file: nil, environment: ["MOOR_LISTN": "x"]) }
        #expect(error?.hint == "did you mean MOOR_LISTEN?")
    }

    @Test func `hosts and URLs of apps follow the domain and the public URL`() throws {
        var configuration = PlatformConfiguration()
        let sales = try AppName(validating: "sales")
        #expect(configuration.url(of: sales) == "http://sales.localhost:8080")
        configuration.domain = "moorage.example.com"
        configuration.publicURL = "https://moorage.example.com"
        #expect(configuration.url(of: sales) == "https://sales.moorage.example.com")
        #expect(configuration.app(forHost: "Sales.moorage.example.com:443") == sales)
        #expect(configuration.app(forHost: "moorage.example.com") == nil)
        #expect(configuration.app(forHost: "a.b.moorage.example.com") == nil)
    }

    private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
        let file = URL(filePath: NSTemporaryDirectory()).appending(path: "moorage-\(UUID().uuidString).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        try body(file.path)
    }
}
