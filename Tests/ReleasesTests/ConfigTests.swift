import Crypto
import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct ConfigTests {
    @Test func `before the first release config is kept and makes no release`() async throws {
        try await Harbour.with { harbour async throws in
            #expect(try await harbour.set(["A": "1", "B": "2"]) == nil)
            #expect(try await harbour.set([:], unset: ["B"]) == nil)
            #expect(try await harbour.service.config(appID: harbour.appID) == ["A": "1"])
            #expect(try await harbour.releases().isEmpty)
        }
    }

    @Test func `a change makes a release of the same image, described without values`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            #expect(try await harbour.set(["SECRET": "hunter2"]) == 2)
            let (first, second) = (try await harbour.release(1), try await harbour.release(2))
            #expect(second.imageID == first.imageID && second.cause == .config && second.description == "set SECRET")
            #expect(await harbour.environment(of: 2)?["SECRET"] == "hunter2")
            #expect(try await harbour.service.config(appID: harbour.appID) == ["SECRET": "hunter2"])
            #expect(try await harbour.set([:], unset: ["SECRET"]) == 3)
            #expect(try await harbour.release(3).description == "unset SECRET")
            #expect(!harbour.lines.entries.joined().contains("hunter2"))
        }
    }

    @Test func `what is so already makes no release`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            #expect(try await harbour.set(["A": "1"]) == 2)
            #expect(try await harbour.set(["A": "1"], unset: ["B"]) == nil)
            #expect(try await harbour.releases() == ["v1 superseded", "v2 live"])
        }
    }

    @Test func `config that keeps the app from coming up is not kept`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            try await harbour.set(["A": "1"])
            await harbour.orchestrator.script(.exits(code: 1, lines: ["boom"]), release: 3)
            let error = try await refusal { try await harbour.set(["A": "2", "B": "3"]) }
            #expect(error.code == .appFailed)
            #expect(error.hint == "v2 keeps serving; the config is as it was before")
            #expect(try await harbour.service.config(appID: harbour.appID) == ["A": "1"])
            try await harbour.push()
            #expect(await harbour.environment(of: 4)?["A"] == "1")
        }
    }

    @Test(arguments: ["", "1A", "A-B", "A B", "A=B", "Ä", "PORT", "HOST", "MOOR_APP", "MOOR_", String(repeating: "A", count: 129), "A\n"])
    func `a name that is not a variable's, or is the platform's, is refused`(name: String) async throws {
        try await Harbour.with { harbour async throws in
            try await expectRefusal(.invalid) { try await harbour.set([name: "x"]) }
            #expect(try await harbour.service.config(appID: harbour.appID).isEmpty)
        }
    }

    @Test(arguments: ["A", "_", "a1", "PORT_", "HOSTNAME", "MOOR", "DASH_APP_NAME", String(repeating: "A", count: 128)])
    func `other names are accepted`(name: String) throws {
        #expect(throws: Never.self) { try ConfigRules.validate([name: ""]) }
    }

    @Test func `values that are too large, or hold a zero byte, are refused`() throws {
        let large = String(repeating: "x", count: ConfigRules.valueLimit)
        #expect(throws: Never.self) { try ConfigRules.validate(["A": large]) }
        #expect(throws: MoorError.self) { try ConfigRules.validate(["A": large + "x"]) }
        #expect(throws: MoorError.self) { try ConfigRules.validate(["A": "a\0b"]) }
        let many = Dictionary(uniqueKeysWithValues: (0..<9).map { ("A\($0)", large) })
        #expect(throws: MoorError.self) { try ConfigRules.validate(many) }
    }

    @Test func `a name that is both set and unset is refused`() async throws {
        try await Harbour.with { harbour async throws in
            try await expectRefusal(.invalid) { try await harbour.set(["A": "1"], unset: ["A"]) }
        }
    }

    @Test func `no value is in the database's files`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push()
            let secret = "correct-horse-battery-staple"
            try await harbour.set(["A": secret])
            let path = harbour.store.pool.path
            for file in [path, path + "-wal"] {
                let bytes = try Data(contentsOf: URL(filePath: file))
                #expect(bytes.range(of: Data(secret.utf8)) == nil)
                #expect(bytes.range(of: Data(Data(secret.utf8).base64EncodedString().utf8)) == nil)
            }
        }
    }

    @Test func `a value opens for its app, purpose and key alone`() throws {
        let sealer = ConfigSealer(key: SymmetricKey(size: .bits256))
        let sealed = try sealer.sealValue("x", key: "A", app: AppID(1))
        #expect(try sealer.openValue(sealed, key: "A", app: AppID(1)) == "x")
        #expect(throws: MoorError.self) { try sealer.openValue(sealed, key: "A", app: AppID(2)) }
        #expect(throws: MoorError.self) { try sealer.openValue(sealed, key: "B", app: AppID(1)) }
        #expect(throws: MoorError.self) { try sealer.openSnapshot(sealed, app: AppID(1), number: 1) }
        let snapshot = try sealer.sealSnapshot(["A": "x"], app: AppID(1), number: 1)
        #expect(throws: MoorError.self) { try sealer.openSnapshot(snapshot, app: AppID(1), number: 2) }
        var damaged = sealed
        damaged[damaged.count - 1] ^= 1
        #expect(throws: MoorError.self) { try sealer.openValue(damaged, key: "A", app: AppID(1)) }
        let other = ConfigSealer(key: SymmetricKey(size: .bits256))
        #expect(throws: MoorError.self) { try other.openValue(sealed, key: "A", app: AppID(1)) }
        #expect(try sealer.sealValue("x", key: "A", app: AppID(1)) != sealed)
    }

    @Test func `an app's secret is stable and no other app's`() {
        let key = SymmetricKey(size: .bits256)
        #expect(ConfigSealer(key: key).appSecret(AppID(1)) == ConfigSealer(key: key).appSecret(AppID(1)))
        #expect(ConfigSealer(key: key).appSecret(AppID(1)) != ConfigSealer(key: key).appSecret(AppID(2)))
    }
}

@Suite struct KeyFileTests {
    @Test func `the key is made for its owner alone and stays the same`() async throws {
        try await withScratchFolder { folder async throws in
            let path = folder.appending(path: "key").path
            let key = try KeyFile.load(path: path, mayCreate: true)
            #expect(try KeyFile.load(path: path, mayCreate: false) == key)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["key"])
        }
    }

    @Test func `many that make it at once get the same key`() async throws {
        try await withScratchFolder { folder async throws in
            let path = folder.appending(path: "key").path
            let keys = try await withThrowingTaskGroup(of: SymmetricKey.self) { group in
                for _ in 0..<16 { group.addTask { try KeyFile.load(path: path, mayCreate: true) } }
                return try await group.reduce(into: [SymmetricKey]()) { $0.append($1) }
            }
            #expect(keys.allSatisfy { $0 == keys[0] })
        }
    }

    @Test func `a key that others can read, of the wrong length, or lost is refused`() async throws {
        try await withScratchFolder { folder async throws in
            let path = folder.appending(path: "key").path
            try await expectRefusal(.unavailable) { try KeyFile.load(path: path, mayCreate: false) }
            _ = try KeyFile.load(path: path, mayCreate: true)
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            try await expectRefusal(.unavailable) { try KeyFile.load(path: path, mayCreate: true) }
            try Data(count: 31).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            try await expectRefusal(.unavailable) { try KeyFile.load(path: path, mayCreate: true) }
        }
    }

    @Test func `a lost key is not replaced while something is sealed with it`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.set(["A": "1"])
            try FileManager.default.removeItem(atPath: harbour.configuration.keyFile)
            let error = try await refusal { try await harbour.restarted().resume() }
            #expect(error.code == .unavailable)
            #expect(!FileManager.default.fileExists(atPath: harbour.configuration.keyFile))
        }
    }
}

extension Harbour {
    @discardableResult
    func set(_ config: [String: String], unset: [String] = []) async throws -> Int? {
        try await service.setConfig(appID: appID, set: config, unset: unset, by: admin, log: lines.log)
    }

    func environment(of release: Int) async -> [String: String]? {
        await orchestrator.workload(of: appID)?.sets.first { $0.releaseNumber == release }?.environment
    }
}
