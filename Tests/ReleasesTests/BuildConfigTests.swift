import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct BuildConfigTests {
    @Test func `values for builds make no release and are in no replica`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.service.setBuildConfig(appID: harbour.appID, set: ["TOKEN": "hunter22", "B": "x"], unset: [])
            #expect(try await harbour.releases() == ["v1 live"])
            #expect(try await harbour.service.buildConfigNames(appID: harbour.appID) == ["B", "TOKEN"])
            #expect(try await harbour.service.buildConfig(appID: harbour.appID) == ["TOKEN": "hunter22", "B": "x"])
            #expect(try await harbour.service.config(appID: harbour.appID).isEmpty)
            try await harbour.push()
            #expect(await harbour.environment(of: 2)?["TOKEN"] == nil)
            try await harbour.service.setBuildConfig(appID: harbour.appID, set: [:], unset: ["TOKEN", "NEVER_SET"])
            #expect(try await harbour.service.buildConfig(appID: harbour.appID) == ["B": "x"])
        }
    }

    @Test func `no value for builds is in the database's files`() async throws {
        try await Harbour.with { harbour async throws in
            let secret = "correct-horse-battery-staple"
            try await harbour.service.setBuildConfig(appID: harbour.appID, set: ["A": secret], unset: [])
            for file in [harbour.store.pool.path, harbour.store.pool.path + "-wal"] {
                let bytes = try Data(contentsOf: URL(filePath: file))
                #expect(bytes.range(of: Data(secret.utf8)) == nil)
                #expect(bytes.range(of: Data(Data(secret.utf8).base64EncodedString().utf8)) == nil)
            }
        }
    }

    @Test(arguments: ["", "1A", "A-B", "PORT", "MOOR_APP", "PATH", "HOME"])
    func `a name that builds cannot have is refused`(name: String) async throws {
        try await Harbour.with { harbour async throws in
            try await expectRefusal(.invalid) {
                try await harbour.service.setBuildConfig(appID: harbour.appID, set: [name: "x"], unset: [])
            }
            #expect(try await harbour.service.buildConfigNames(appID: harbour.appID).isEmpty)
        }
    }

    @Test func `a name that is both set and unset is refused`() async throws {
        try await Harbour.with { harbour async throws in
            try await expectRefusal(.invalid) {
                try await harbour.service.setBuildConfig(appID: harbour.appID, set: ["A": "1"], unset: ["A"])
            }
        }
    }
}
