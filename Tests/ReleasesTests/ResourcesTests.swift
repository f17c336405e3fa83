import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Releases

@Suite(.timeLimit(.minutes(4))) struct ResourcesTests {
    static let formation = [
        ProcessSpec(name: "web", command: "gunicorn app:server", resources: Resources(memoryBytes: 512 << 20), declared: [.memory]),
        ProcessSpec(name: "worker", command: "celery"), ProcessSpec(name: "release", command: "migrate"),
    ]

    @Test func `a change is a release that is rolled out, and later ones take it over`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.formation)
            await harbour.service.settle()
            harbour.journal.clear()
            let number = try await harbour.setResources(ResourceWish(cpuMillis: 500, diskBytes: 2 << 30))
            #expect(number == 2)
            await harbour.service.settle()
            // There is no new code: the release command is not run again.
            #expect(
                harbour.journal.entries == [
                    "apply v1 web=1 worker=1, v2 web=1 worker=1", "traffic to v2", "apply v1 web=1, v2 web=1 worker=1", "drain 1",
                    "apply v2 web=1 worker=1",
                ])
            #expect(try await harbour.resources() == Resources(cpuMillis: 500, memoryBytes: 512 << 20, diskBytes: 2 << 30))
            #expect(try await harbour.release(2).description == "web: 0.5 cores, 2 GiB of disk")
            #expect(try await harbour.setResources(ResourceWish(cpuMillis: 500)) == nil)
            // As the next push and a rollback have it.
            try await harbour.push(Self.formation)
            #expect(try await harbour.resources().cpuMillis == 500)
            _ = try await harbour.service.rollback(appID: harbour.appID, to: 1, by: harbour.admin, log: .discard)
            #expect(try await harbour.resources().cpuMillis == 500)
            _ = try await harbour.setResources(ResourceWish(pids: 64), reset: true)
            #expect(try await harbour.resources() == Resources(memoryBytes: 512 << 20, pids: 64))
            #expect(try await harbour.release(5).wishes == ["web": ResourceWish(pids: 64, by: harbour.admin.username)])
        }
    }

    @Test func `one that does not come up leaves all as it was`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.formation)
            await harbour.orchestrator.script(.exits(code: 137, lines: ["Killed"]), release: 2)
            let error = try await refusal { try await harbour.setResources(ResourceWish(memoryBytes: 16 << 20)) }
            #expect(error.code == .appFailed && error.message == "web.1 of v2 did not come up: it exited with code 137")
            #expect(error.hint == "v1 keeps serving; the resources are as they were before")
            #expect(try await harbour.resources().memoryBytes == 512 << 20)
            #expect(await harbour.orchestrator.workload(of: harbour.appID)?.summary == "v1 web=1 worker=1")
            try await harbour.push(Self.formation)
            #expect(try await harbour.resources().memoryBytes == 512 << 20)
        }
    }

    @Test func `one that waits for room is said to, at once and at the end`() async throws {
        try await Harbour.with(slack: .milliseconds(300)) { harbour async throws in
            try await harbour.push(Self.formation)
            await harbour.orchestrator.script(.pending("needs 2 GiB of memory, 1.2 GiB free"), release: 2, name: "web.1")
            let error = try await refusal { try await harbour.push(Self.formation) }
            #expect(error.code == .unavailable)
            #expect(error.message == "there was no room for web.1 of v2: it needs 2 GiB of memory, 1.2 GiB free")
            #expect(error.hint == "v1 keeps serving; ask for less (moor.yaml, moor resources), or have something else take less")
            #expect(harbour.lines.entries.contains("web.1 is pending: needs 2 GiB of memory, 1.2 GiB free"))
            #expect(try await harbour.releases() == ["v1 live", "v2 failed"])
        }
    }

    @Test func `an unknown process, a value out of range and an app without a release are refused`() async throws {
        try await Harbour.with { harbour async throws in
            try await expectRefusal(.conflict) { try await harbour.setResources(ResourceWish(pids: 64)) }
            try await harbour.push(Self.formation)
            try await expectRefusal(.invalid) { try await harbour.setResources(ResourceWish(pids: 64), of: "wbe") }
            try await expectRefusal(.invalid) { try await harbour.setResources(ResourceWish(memoryBytes: 5)) }
            #expect(try await harbour.releases() == ["v1 live"])
        }
    }

    /// Each app has one replica of 512 MiB and one of 1 GiB.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var scope: QuotaScope
        var name: String?
        var quota: Quota
        var message: String
        var hint: String
    }

    static let cases: [Case] = [
        Case(
            testDescription: "of an app", scope: .app, name: "sales", quota: Quota(memoryBytes: 2 << 30),
            message: "sales would have 2.5 GiB of memory; the ceiling is 2 GiB of memory", hint: "1.5 GiB of memory are in use now"),
        Case(
            testDescription: "of every app", scope: .app, quota: Quota(replicas: 3),
            message: "sales would have 4 replicas; the ceiling is 3 replicas", hint: "2 replicas are in use now"),
        Case(
            testDescription: "of a user", scope: .user, name: "ada", quota: Quota(cpuMillis: 5000),
            message: "the apps of ada together would have 6 cores; the ceiling is 5 cores", hint: "4 cores are in use now"),
        Case(
            testDescription: "of the platform", scope: .platform, quota: Quota(memoryBytes: 3 << 30),
            message: "all apps together would have 4 GiB of memory; the ceiling is 3 GiB of memory",
            hint: "3 GiB of memory are in use now"),
    ]

    @Test(arguments: cases)
    func `a ceiling stops what goes above it, and says who sets it`(_ example: Case) async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.push(Self.formation)
            try await harbour.neighbour()
            try await harbour.limit(example.scope, example.name, example.quota)
            let error = try await refusal { try await harbour.scale(["web": 3]) }
            #expect(error.code == .conflict && error.message == example.message)
            let flag = Ceiling(scope: example.scope, name: example.scope == .app ? "sales" : example.name, quota: Quota()).flag
            #expect(error.hint?.hasPrefix(example.hint) == true && error.hint?.hasSuffix("who sets this (moor quota set \(flag))") == true)
            #expect(try await harbour.scales().isEmpty)
            try await expectRefusal(.conflict) {
                try await harbour.push([ProcessSpec(name: "web", command: "x", replicas: 4)])
            }
            #expect(try await harbour.liveNumber() == 1)
            // Above it from before: what makes it no worse may go on.
            try await harbour.limit(example.scope, example.name, Quota(cpuMillis: 1, memoryBytes: 1, replicas: 1))
            try await harbour.scale(["web": 0])
            try await harbour.push(Self.formation)
            #expect(try await harbour.liveNumber() == 2)
        }
    }

    @Test func `the ceiling of a replica refuses what is asked for and lowers what is not`() async throws {
        try await Harbour.with { harbour async throws in
            try await harbour.limit(.replica, nil, Quota(cpuMillis: 500, memoryBytes: 768 << 20))
            try await harbour.push(Self.formation)
            let processes = try await harbour.release(1).processes
            #expect(processes.map(\.resources.memoryBytes) == [512 << 20, 768 << 20, 768 << 20])
            #expect(processes.allSatisfy { $0.resources.cpuMillis == 500 })
            let error = try await refusal { try await harbour.setResources(ResourceWish(memoryBytes: 1 << 30)) }
            #expect(error.message == "a replica of web of sales would have 1 GiB of memory; one replica may have at most 768 MiB of memory")
            try await harbour.limit(.replica, nil, Quota())
            #expect(try await harbour.setResources(ResourceWish(memoryBytes: 1 << 30)) == 2)
        }
    }
}

extension Harbour {
    func setResources(_ wish: ResourceWish, of process: String = "web", reset: Bool = false) async throws -> Int? {
        try await service.setResources(appID: appID, process: process, to: wish, reset: reset, by: admin, log: lines.log)
    }

    /// What web is given, as the orchestrator was told.
    func resources() async throws -> Resources {
        let workload = await orchestrator.workload(of: appID)
        return try #require(workload?.sets.last { $0.process.isWeb }).process.resources
    }

    func limit(_ scope: QuotaScope, _ name: String?, _ quota: Quota) async throws {
        try await store.write { db in try QuotaRecord.change(scope, name: name, db) { $0 = quota } }
    }

    /// Another app of the same owner, with a live release of the same processes.
    func neighbour() async throws {
        let app = try await store.makeApp("other", owner: admin)
        let image = try await store.makeImage(for: app, formation: ResourcesTests.formation)
        try await store.write { db in
            var release = ReleaseRecord(
                appID: app.id!, number: 1, imageID: image.id!, sealedConfig: Data(), formation: image.formation, cause: .push,
                description: "", state: .live, createdAt: 0)
            try release.insert(db)
            try db.execute(sql: "UPDATE apps SET liveReleaseID = ? WHERE id = ?", arguments: [release.id, app.id])
        }
    }
}
