import GRDB
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing

struct PermissionTests {
    @Test(arguments: Endpoint.all)
    func `each endpoint answers each kind of caller as the table says`(_ endpoint: Endpoint) async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                for (caller, status) in zip(Caller.allCases, endpoint.statuses) {
                    let response = try await client.call(
                        endpoint.method, endpoint.path(for: caller), as: caller, body: endpoint.body(for: caller))
                    #expect(response.status.code == status, "\(caller): \(response.text)")
                }
            }
        }
    }

    @Test func `an app that one may not look at answers as one that does not exist`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let hidden = try await client.call(.get, "/apps/sales-owner", as: .stranger)
                let missing = try await client.call(.get, "/apps/sales-nobody", as: .stranger)
                #expect(hidden.status == .notFound)
                #expect(hidden.text.replacing("sales-owner", with: "sales-nobody") == missing.text)
            }
        }
    }

    @Test func `the list of apps holds those that the caller may look at`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let all = try await client.call(.get, "/apps", as: .viewer)
                let none = try await client.call(.get, "/apps", as: .stranger)
                #expect((all.object["apps"] as? [Any])?.count == Caller.allCases.count)
                #expect((none.object["apps"] as? [Any])?.count == 0)
            }
        }
    }

    @Test func `a build's log is shown only as its own app's`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let own = try await client.call(.get, "/apps/sales-owner/builds/5/log", as: .owner)
                let other = try await client.call(.get, "/apps/sales-owner/builds/1/log", as: .owner)
                #expect(own.text == "log of build 5\n")
                #expect(other.status == .notFound)
            }
        }
    }

    @Test func `an app that is being removed is gone`() async throws {
        try await World.run { world in
            try await world.store.write { db in try db.execute(sql: "UPDATE apps SET deletingAt = 1 WHERE name = 'sales-owner'") }
            try await world.application().test(.router) { client in
                let answer1 = try await client.call(.get, "/apps/sales-owner", as: .owner)
                #expect(answer1.status == .notFound)
            }
        }
    }
}
