import GRDB
import Models
import Store
import TestSupport
import Testing

@Suite struct QuotaTests {
    @Test func `a user's own ceiling counts before everybody's, and one that limits nothing goes`() async throws {
        try await withReleasedApp { store, ada async throws in
            func set(_ scope: QuotaScope, _ name: String? = nil, apps: Int?) async throws {
                try await store.write { db in try QuotaRecord.change(scope, name: name, db) { $0.apps = apps } }
            }
            func check() async throws { try await store.read { db in try QuotaRecord.checkCount(ofAppsOf: ada, db) } }
            try await set(.user, apps: 1)
            let full = await refused { try await check() }
            #expect(full?.code == .conflict && full?.message == "ada may own at most 1 app")
            try await set(.user, "ada", apps: 2)
            try await check()
            try await set(.platform, apps: 1)
            let crowded = await refused { try await check() }
            #expect(crowded?.message == "this platform may have at most 1 app")
            try await set(.platform, apps: nil)
            try await set(.user, apps: 0)
            try await check()
            try await set(.user, "ada", apps: nil)
            try await set(.user, apps: nil)
            let left = try await store.read { db in try QuotaRecord.fetchCount(db) }
            #expect(left == 0)
        }
    }

    @Test func `nobody who is not there has a ceiling`() async throws {
        try await withReleasedApp { store, _ async throws in
            let cases: [(QuotaScope, String, MoorError.Code)] = [
                (.app, "slaes", .notFound), (.user, "bob", .notFound), (.replica, "web", .invalid), (.platform, "x", .invalid),
            ]
            for (scope, name, code) in cases {
                let error = await refused {
                    try await store.write { db in try QuotaRecord.change(scope, name: name, db) { $0.gpus = 1 } }
                }
                #expect(error?.code == code)
            }
        }
    }
}
