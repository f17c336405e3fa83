import Engine
import Foundation
import Models
import Store
import TestSupport
import Testing

@testable import Orchestrators

/// Over a real engine.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LogsAndCommandsTests {
    @Test(arguments: EngineKind.allCases) func `logs are read, followed over new replicas, and end with their reader`(kind: EngineKind)
        async throws
    {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                let process = worker("i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done")
                var workload = try await fixture.workload("chatty", process)
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
                var lines: [LogLine] = []
                for try await line in try await orchestrator.logs(appID: workload.appID, process: nil, tail: 2, follow: false) {
                    lines.append(line)
                }
                #expect(lines.count == 2)
                #expect(lines.allSatisfy { $0.replica == "worker.1" && $0.text.hasPrefix("line ") })

                let followed = try await orchestrator.logs(appID: workload.appID, process: "worker", tail: 1, follow: true)
                workload.sets[0].count = 2
                try await orchestrator.apply(workload)
                var seen: Set<String> = []
                for try await line in followed where seen.insert(line.replica).inserted && seen.count == 2 {
                    #expect(line.text == "line 1", "a new replica is shown from its first line")
                    break
                }
                let other = try await orchestrator.logs(appID: workload.appID, process: "web", tail: 5, follow: false)
                for try await line in other { Issue.record("a line of another process: \(line)") }

                let stream = try await orchestrator.logs(appID: workload.appID, process: nil, tail: 0, follow: true)
                let reader = Task { for try await _ in stream {} }
                reader.cancel()
                try? await reader.value
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a line that was written in pieces is one line, wherever the tail begins`(kind: EngineKind)
        async throws
    {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                let command =
                    "echo zero; echo -n ab; sleep 0.5; echo -n cd; sleep 0.5; echo; echo one; echo -n two; sleep 0.5; echo; sleep 1000"
                let workload = try await fixture.workload("pieces", worker(command))
                try await orchestrator.apply(workload)
                let replica = try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }[0].replicaID
                while await orchestrator.lastLines(of: replica, count: 9).last != "two" { try await Task.sleep(for: .milliseconds(100)) }
                for (tail, expected) in [(9, ["zero", "abcd", "one", "two"]), (3, ["abcd", "one", "two"]), (1, ["two"])] {
                    #expect(await orchestrator.lastLines(of: replica, count: tail) == expected)
                    let read = try await orchestrator.logs(appID: workload.appID, process: nil, tail: tail, follow: false)
                    #expect(try await read.reduce(into: []) { $0.append($1.text) } == expected)
                    var followed = try await orchestrator.logs(appID: workload.appID, process: nil, tail: tail, follow: true)
                        .makeAsyncIterator()
                    for line in expected { #expect(try await followed.next()?.text == line) }
                }
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a release command's output is passed on and its end is told`(kind: EngineKind) async throws
    {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator(networkReady: { _, _ in ["MOOR_JWKS_URL": "http://inside/jwks"] }) { orchestrator in
                let process = ProcessSpec(name: "release", command: "echo migrating $NAME with $MOOR_JWKS_URL; id -u; exit $CODE")
                let (app, releaseID) = try await fixture.makeRelease("sales", formation: [process])
                let (lines, input) = AsyncStream.makeStream(of: String.self)
                let log = DeployLog { input.yield($0) }
                let good = fixture.set(process, releaseID, environment: ["NAME": "the database", "CODE": "0"])
                let went = try await orchestrator.run(CommandOrder(), like: good, appID: app.id!, app: app.name, log: log)
                #expect(went == CommandEnd(exitCode: 0))
                input.finish()
                #expect(await lines.reduce(into: []) { $0.append($1) } == ["migrating the database with http://inside/jwks", "10001"])
                let bad = fixture.set(process, releaseID, environment: ["CODE": "4"])
                let failed = try await orchestrator.run(CommandOrder(), like: bad, appID: app.id!, app: app.name, log: .discard)
                #expect(failed == CommandEnd(exitCode: 4, reason: "exited with code 4"))
                #expect(try await fixture.containers().isEmpty)
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a release command that takes too long, or whose caller goes, leaves nothing`(
        kind: EngineKind
    ) async throws {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                let process = ProcessSpec(name: "release", command: "sleep 100")
                let (app, releaseID) = try await fixture.makeRelease("sales", formation: [process])
                let set = fixture.set(process, releaseID)
                let error = await refused {
                    try await orchestrator.run(
                        CommandOrder(limit: .seconds(2)), like: set, appID: app.id!, app: app.name, log: .discard)
                }
                #expect(error?.code == .timedOut)
                let caller = Task { try await orchestrator.run(CommandOrder(), like: set, appID: app.id!, app: app.name, log: .discard) }
                while try await fixture.containers().isEmpty { await Task.yield() }
                caller.cancel()
                let outcome = await caller.result
                #expect(throws: MoorError.self) { try outcome.get() }
                #expect(try await fixture.containers().isEmpty)
            }
        }
    }
}
