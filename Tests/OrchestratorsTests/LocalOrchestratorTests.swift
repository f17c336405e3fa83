import AsyncHTTPClient
import Engine
import Foundation
import GRDB
import Models
import Store
import TestSupport
import Testing

@testable import Orchestrators

/// Over a real engine, one after the other: each starts its own.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LocalOrchestratorTests {
    @Test(arguments: EngineKind.allCases) func `replicas become ready, answer, scale up and down, and one that crashes comes back`(
        kind: EngineKind
    ) async throws {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                // As an image of nginx has it: the Web's own port, which is no matter of being root.
                var process = web()
                process.port = 80
                var workload = try await fixture.workload("sales", process, count: 2)
                try await orchestrator.apply(workload)
                let two = try await orchestrator.wait(for: workload.appID) { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                #expect(two.map(\.name) == ["web.1", "web.2"])
                for replica in two {
                    let endpoint = try #require(replica.endpoint)
                    let answer = try await Probe(http: .shared).get(
                        host: endpoint.host, port: endpoint.port, path: "/", deadline: .seconds(5))
                    #expect(answer == .answered(status: 404))
                }

                workload.sets[0].count = 3
                try await orchestrator.apply(workload)
                let three = try await orchestrator.wait(for: workload.appID) { $0.count == 3 && $0.allSatisfy { $0.state == .ready } }
                #expect(Set(three.map(\.replicaID)).isSuperset(of: two.map(\.replicaID)))

                let containers = try await fixture.containers()
                let victim = try #require(containers.first { $0.labels[Label.ordinal] == "1" })
                let details = try #require(try await fixture.engine.inspectContainer(victim.id))
                kill(pid_t(details.state.pid), SIGKILL)
                try await orchestrator.wait(for: workload.appID) { $0.contains { $0.restarts == 1 } }
                try await orchestrator.wait(for: workload.appID) { $0.count == 3 && $0.allSatisfy { $0.state == .ready } }

                workload.sets[0].count = 1
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.count == 1 }
                #expect(try await fixture.containers().count == 1)
                let rows = try await fixture.store.read { db in try ReplicaRecord.fetchAll(db) }
                let left = try await fixture.containers().map(\.id)
                #expect(rows.map(\.containerID) == left)
                #expect(rows.map(\.restarts) == [1])
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `why a replica does not come up is said in words`(kind: EngineKind) async throws {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                let broken = "nc -ll -p 5000 -e sh -c 'read line; printf \"HTTP/1.1 500 No\\r\\nContent-Length: 0\\r\\n\\r\\n\"'"
                let cases = [
                    ("wrong-port", web("httpd -f -p 8050", timeout: 2), "nothing listens on $PORT (5000); the process listens on 8050"),
                    (
                        "loopback", web("httpd -f -p 127.0.0.1:5000", timeout: 2),
                        "nothing listens on $PORT (5000); the process listens on 127.0.0.1:5000 only; bind 0.0.0.0"
                    ),
                    ("always-500", web(broken, timeout: 2), "answers 500 on /"),
                    ("deaf", web("sleep 100", timeout: 2), "nothing listens on $PORT (5000)"),
                ]
                for (name, process, reason) in cases {
                    let workload = try await fixture.workload(name, process)
                    try await orchestrator.apply(workload)
                    try await orchestrator.wait(for: workload.appID) { $0.first?.state == .unhealthy(reason: reason) }
                }
                let crashing = try await fixture.workload("crashing", worker("echo these are; echo my last words; exit 3"))
                try await orchestrator.apply(crashing)
                let seen = try await orchestrator.wait(for: crashing.appID) {
                    if case .backingOff(3, "exited with code 3", _) = $0.first?.state { true } else { false }
                }
                #expect(await orchestrator.lastLines(of: seen[0].replicaID, count: 2) == ["these are", "my last words"])
                try await orchestrator.wait(for: crashing.appID) {
                    if case .crashLooping(3, "exited with code 3", _) = $0.first?.state { $0[0].restarts >= 3 } else { false }
                }

                let hungry = try await fixture.workload("hungry", worker("exec tail /dev/zero", memory: 16 << 20))
                try await orchestrator.apply(hungry)
                try await orchestrator.wait(for: hungry.appID) {
                    if case .backingOff(137, "ran out of memory: it used all of its 16 MiB", _) = $0.first?.state { true } else { false }
                }

                var missing = try await fixture.workload("missing", web())
                missing.sets[0].image = "localhost/no-such-image:1"
                try await orchestrator.apply(missing)
                try await orchestrator.wait(for: missing.appID) {
                    if case .backingOff(nil, let reason, _) = $0.first?.state { reason.contains("no-such-image") } else { false }
                }
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a replica that hangs leaves the traffic, and another container takes its place`(
        kind: EngineKind
    ) async throws {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator({
                ($0.probeInterval, $0.probeDeadline, $0.restartAfter) = (.milliseconds(200), .milliseconds(300), .seconds(1))
            }) { orchestrator in
                // Stopped and not ended: its port still takes connections.
                let process = web("httpd -f -p $PORT & p=$!; sleep 3; kill -STOP $p; wait $p")
                let workload = try await fixture.workload("hanging", process)
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
                let silent = "takes connections on $PORT (5000) but gives no answer on /"
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .unhealthy(reason: silent) }
                try await orchestrator.wait(for: workload.appID) {
                    if case .backingOff(_, let reason, _) = $0.first?.state {
                        reason.hasPrefix("was unhealthy for ") && reason.hasSuffix(" s and is started anew: \(silent)")
                    } else {
                        false
                    }
                }
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready && $0[0].restarts == 1 }
                #expect(try await fixture.containers().count == 1)
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a replica is looked at as its check says: a port, or a command in it`(kind: EngineKind)
        async throws
    {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator({ $0.probeDeadline = .seconds(1) }) { orchestrator in
                var port = web("nc -ll -p $PORT -e true")
                port.health = HealthCheck(probe: .tcp)
                let open = try await fixture.workload("open", port)
                try await orchestrator.apply(open)
                try await orchestrator.wait(for: open.appID) { $0.first?.state == .ready }

                var failing = worker("sleep 2; touch /dev/shm/bad; sleep 1000")
                failing.health = HealthCheck(
                    probe: .command("test ! -e /dev/shm/bad"), intervalSeconds: 1, failureThreshold: 1, restartAfterSeconds: 1)
                let told = try await fixture.workload("told", failing)
                try await orchestrator.apply(told)
                try await orchestrator.wait(for: told.appID) { $0.first?.state == .ready }
                try await orchestrator.wait(for: told.appID) {
                    $0.first?.state == .unhealthy(reason: "its check command ended with exit code 1")
                }
                try await orchestrator.wait(for: told.appID) { $0.first?.state == .ready && $0[0].restarts == 1 }

                var slow = worker("sleep 1000")
                slow.health = HealthCheck(timeoutSeconds: 2, probe: .command("sleep 4321"))
                let endless = try await fixture.workload("endless", slow)
                try await orchestrator.apply(endless)
                try await orchestrator.wait(for: endless.appID) {
                    $0.first?.state == .unhealthy(reason: "its check command was killed, or did not end in its time")
                }
                let container = try #require(try await fixture.containers().first { $0.labels[Label.appName] == "endless" })
                let processes = try await fixture.command(["top", container.id] + (kind == .docker ? ["-eo", "pid,args"] : ["args"]))
                #expect(processes.components(separatedBy: "sleep 4321").count <= 3, "checks do not pile up: \(processes)")
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a process without HTTP is ready once it runs, and its signals arrive`(kind: EngineKind)
        async throws
    {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                var workload = try await fixture.workload(
                    "jobs", worker("trap 'echo bye; exit 0' TERM; echo hello; while true; do sleep 0.1; done"))
                try await orchestrator.apply(workload)
                let ready = try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
                #expect(ready[0].endpoint == nil)
                #expect(await orchestrator.lastLines(of: ready[0].replicaID, count: 10) == ["hello"])
                workload.sets = []
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.isEmpty }
                #expect(await orchestrator.lastLines(of: ready[0].replicaID, count: 10) == ["hello", "bye"])
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a changed specification of one release replaces its replicas without a gap`(
        kind: EngineKind
    ) async throws {
        try await withFixture(kind) { fixture in
            try await fixture.withOrchestrator { orchestrator in
                var workload = try await fixture.workload("sales", web())
                try await orchestrator.apply(workload)
                let old = try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
                workload.sets[0].environment["NEW"] = "1"
                try await orchestrator.apply(workload)
                // At every moment somebody is ready.
                for await _ in await orchestrator.changes(of: workload.appID) {
                    let replicas = await orchestrator.replicas(of: workload.appID)
                    #expect(replicas.contains { $0.state == .ready })
                    if replicas.count == 1, replicas[0].replicaID != old[0].replicaID { break }
                }
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `a new orchestrator takes over what runs and removes what nobody owns`(kind: EngineKind)
        async throws
    {
        try await withFixture(kind) { fixture in
            var workload = try await fixture.workload("sales", web(), count: 2)
            let applied = workload
            try await fixture.withOrchestrator { orchestrator in
                try await orchestrator.apply(applied)
                try await orchestrator.wait(for: applied.appID) { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
            }
            let before = Set(try await fixture.containers().map(\.id))
            #expect(before.count == 2)
            // What a crash leaves: a container whose row is gone, a row whose container never came, one that ended.
            _ = try await fixture.command([
                "run", "--detach", "--network", "none", "--label", "\(Label.platform)=\(fixture.platformID)", "--label",
                "\(Label.replica)=999",
                "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", fixture.image, "/bin/sleep", "100",
            ])
            let releaseID = workload.sets[0].releaseID
            try await fixture.store.write { db in
                var row = ReplicaRecord(releaseID: releaseID, process: "web", ordinal: 9, state: "starting", restarts: 0, createdAt: 0)
                try row.insert(db)
            }

            let again = workload
            try await fixture.withOrchestrator { orchestrator in
                #expect(Set(try await fixture.containers().map(\.id)) == before)
                try await orchestrator.wait(for: again.appID) { $0.filter { $0.state == .ready }.count == 2 }
                try await orchestrator.apply(again)
                try await orchestrator.wait(for: again.appID) { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                #expect(Set(try await fixture.containers().map(\.id)) == before)
            }

            // Not desired any more by the time of the next start.
            workload.sets = []
            let nothing = workload
            try await fixture.withOrchestrator { orchestrator in
                try await orchestrator.apply(nothing)
                try await orchestrator.wait(for: nothing.appID) { $0.isEmpty }
                #expect(try await fixture.containers().isEmpty)
                #expect(try await fixture.store.read { db in try ReplicaRecord.fetchCount(db) } == 0)
            }
        }
    }

    @Test(arguments: EngineKind.allCases) func `stopping all stops the containers and the next start brings them back`(kind: EngineKind)
        async throws
    {
        try await withFixture(kind) { fixture in
            let workload = try await fixture.workload("sales", web())
            try await fixture.withOrchestrator { orchestrator in
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
                await orchestrator.stopAll()
                #expect(try await fixture.containers().isEmpty)
            }
            try await fixture.withOrchestrator { orchestrator in
                try await orchestrator.apply(workload)
                try await orchestrator.wait(for: workload.appID) { $0.first?.state == .ready }
            }
        }
    }
}
