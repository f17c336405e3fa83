import Foundation
import Models
import TestSupport
import Testing

@testable import moor

struct CredentialsTests {
    private func withFile(_ body: (CredentialsFile, [String: String]) async throws -> Void) async throws {
        try await withScratchFolder { folder in
            let environment = ["XDG_CONFIG_HOME": folder.appending(path: "config").path, "HOME": "/nowhere"]
            try await body(CredentialsFile(environment: environment), environment)
        }
    }

    private func mode(_ url: URL) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
    }

    private func entry(_ url: String, token: String = "secret") -> CredentialsFile.Entry {
        .init(url: url, username: "ada", token: token, tokenName: "pc")
    }

    @Test func `the file and its folder are the person's alone, also after changes`() async throws {
        try await withFile { file, _ in
            try file.save(entry("https://a.example.com"))
            try file.save(entry("https://b.example.com"))
            #expect(try mode(file.path) == 0o600)
            #expect(try mode(file.path.deletingLastPathComponent()) == 0o700)
            #expect(try FileManager.default.contentsOfDirectory(atPath: file.path.deletingLastPathComponent().path) == ["credentials.json"])
        }
    }

    @Test func `a file that others could read is closed to them`() async throws {
        try await withFile { file, _ in
            try file.save(entry("https://a.example.com"))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path.path)
            _ = try file.current()
            #expect(try mode(file.path) == 0o600)
        }
    }

    @Test func `several platforms are kept apart by origin`() async throws {
        try await withFile { file, _ in
            try file.save(entry("https://a.example.com", token: "a"))
            try file.save(entry("https://b.example.com", token: "b"))
            try file.save(entry("https://a.example.com", token: "a2"))
            #expect(try file.entry(for: Origin("https://a.example.com"))?.token == "a2")
            #expect(try file.entry(for: Origin("https://b.example.com"))?.token == "b")
            #expect(try file.current() == Origin("https://a.example.com"))
            #expect(try file.remove(Origin("https://a.example.com"))?.token == "a2")
            #expect(try file.entry(for: Origin("https://a.example.com")) == nil)
            #expect(try file.current() == Origin("https://b.example.com"))
        }
    }

    @Test(arguments: [
        ("https://a.example.com", "a"), ("https://a.example.com:8443", nil), ("http://a.example.com", nil),
        ("https://b.example.com", nil), ("https://a.example.com.evil.example", nil),
    ])
    func `a token is found only for the origin it was made at`(_ url: String, _ token: String?) async throws {
        try await withFile { file, environment in
            try file.save(entry("https://a.example.com", token: "a"))
            let place = try Place.find(url: url, remote: nil, environment: environment, credentials: file)
            #expect(place.origin == (try Origin(url)))
            #expect(place.token == token)
        }
    }

    @Test func `a remote to somewhere else is sent neither the stored token nor the environment's`() async throws {
        try await withFile { file, environment in
            try file.save(entry("https://a.example.com", token: "a"))
            let remote = Remote(url: "https://evil.example/git/sales.git")
            #expect(try Place.find(url: nil, remote: remote, environment: environment, credentials: file).token == nil)
            let both = environment.merging(["MOOR_URL": "https://a.example.com", "MOOR_TOKEN": "e"]) { $1 }
            let place = try Place.find(url: nil, remote: remote, environment: both, credentials: file)
            #expect(place.origin == (try Origin("https://a.example.com")))
            #expect(place.token == "e")
            #expect(try Place.find(url: "https://evil.example", remote: nil, environment: both, credentials: file).token == nil)
            let alone = environment.merging(["MOOR_TOKEN": "e"]) { $1 }
            #expect(throws: MoorError.self) { try Place.find(url: nil, remote: remote, environment: alone, credentials: file) }
        }
    }

    @Test func `without any platform the person is told to sign in`() async throws {
        try await withFile { file, environment in
            let error = #expect(throws: MoorError.self) {
                try Place.find(url: nil, remote: nil, environment: environment, credentials: file)
            }
            #expect(error?.hint == "moor login URL")
        }
    }

    @Test func `a damaged file is named`() async throws {
        try await withFile { file, _ in
            try file.save(entry("https://a.example.com"))
            try Data("{".utf8).write(to: file.path)
            let error = #expect(throws: MoorError.self) { try file.current() }
            #expect(error?.message.contains("credentials.json") == true)
        }
    }

    @Test func `a relative XDG_CONFIG_HOME is ignored`() {
        let file = CredentialsFile(environment: ["XDG_CONFIG_HOME": "here", "HOME": "/home/ada"])
        #expect(file.path.path == "/home/ada/.config/moorage/credentials.json")
    }
}
