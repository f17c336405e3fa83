import Foundation
import Models
import TestSupport
import Testing

@testable import Accounts

@Suite struct SigningKeyTests {
    @Test func `the key survives a restart and only its owner can read it`() async throws {
        try await withScratchFolder { folder in
            let path = folder.appending(path: "keys").path
            let first = try await SigningKey.load(folder: path)
            let second = try await SigningKey.load(folder: path)
            #expect(first.id == second.id && first.jwks == second.jwks)
            func mode(_ path: String) throws -> Int? {
                (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
            }
            #expect(try mode(path) == 0o700)
            #expect(try mode(path + "/viewer-signing-key.pem") == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["viewer-signing-key.pem"])
        }
    }

    @Test func `a damaged key file is named, not replaced`() async throws {
        try await withScratchFolder { folder in
            let path = folder.appending(path: "viewer-signing-key.pem").path
            try Data("not a key".utf8).write(to: URL(filePath: path))
            #expect(await errorCode { try await SigningKey.load(folder: folder.path) } == .unavailable)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "not a key")
        }
    }
}
