import Commands
import Engine
import Foundation
import Models
import Store
import Synchronization
import TestSupport
import Testing

@testable import Orchestrators

/// Commands in containers of their own and in replicas, over a real engine.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CommandTests {
    /// The other end of one command.
    final class OtherEnd: Sendable {
        let input = InputWindow()
        private let (control, controls) = AsyncStream.makeStream(of: CommandControl.self)
        private let said = Mutex<[CommandStream: [UInt8]]>([:])
        private let (progress, progressed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

        var session: CommandSession {
            CommandSession(input: { await self.input.next() }, control: control) { stream, bytes in
                self.said.withLock { $0[stream, default: []] += bytes }
                self.progressed.yield()
            }
        }

        func text(_ stream: CommandStream = .output) -> String {
            said.withLock { String(decoding: $0[stream] ?? [], as: UTF8.self) }
        }

        func type(_ text: String) { #expect(input.put(Array(text.utf8))) }
        func send(_ control: CommandControl) { controls.yield(control) }

        /// Returns once the command wrote that.
        func wait(for part: String) async {
            if text().contains(part) { return }
            for await _ in progress where text().contains(part) { return }
        }
    }

    private func withApp(
        _ body: @escaping @Sendable (Fixture, LocalOrchestrator, AppRecord, ReplicaSet) async throws -> Void
    ) async throws {
        try await withFixture { fixture in
            try await fixture.withOrchestrator { orchestrator in
                let process = worker("trap 'exit 0' TERM; echo up; while true; do sleep 0.1; done")
                let (app, releaseID) = try await fixture.makeRelease("sales", formation: [process])
                try await body(fixture, orchestrator, app, fixture.set(process, releaseID, environment: ["COLOUR": "blue"]))
            }
        }
    }

    @Test func `a command in a fresh container has input, two outputs, arguments as they are, and its exit code`() async throws {
        try await withApp { fixture, orchestrator, app, set async throws in
            func run(_ arguments: [String], _ end: OtherEnd, environment: [String: String] = [:]) async throws -> CommandEnd {
                try await orchestrator.run(
                    CommandOrder(arguments, environment: environment), like: set, appID: app.id!, app: app.name, user: "ada",
                    session: end.session)
            }
            let cat = OtherEnd()
            cat.type("one\ntwo")
            cat.input.end()
            #expect(
                try await run(["sh", "-c", "cat; echo $COLOUR $SIZE >&2; id -u", "x", "&& y"], cat, environment: ["SIZE": "7"]).exitCode
                    == 0)
            #expect(cat.text() == "one\ntwo10001\n")
            #expect(cat.text(.error) == "blue 7\n")
            let words = OtherEnd()
            #expect(try await run(["echo", "a  b", "$COLOUR", "'c'", "&&", ""], words).exitCode == 0)
            #expect(words.text() == "a  b $COLOUR 'c' && \n")
            for (arguments, expected) in [
                (["sh", "-c", "exit 7"], CommandEnd(exitCode: 7, reason: "exited with code 7")),
                (["sh", "-c", "kill -9 $$"], CommandEnd(exitCode: 137, reason: "was killed by signal 9 (exit code 137)")),
                (["no-such-program"], CommandEnd(exitCode: 127, reason: "its command was not found (exit code 127)")),
            ] {
                #expect(try await run(arguments, OtherEnd()) == expected)
            }
            let interrupted = OtherEnd()
            async let end = run(["sh", "-c", "trap 'echo caught; exit 9' INT; echo up; while true; do sleep 0.1; done"], interrupted)
            await interrupted.wait(for: "up")
            interrupted.send(.signal(.interrupt))
            #expect(try await end.exitCode == 9)
            #expect(interrupted.text() == "up\ncaught\n")
            #expect(try await fixture.containers().isEmpty)
            #expect(await orchestrator.oneOffs(of: app.id!).isEmpty)
        }
    }

    @Test func `a terminal has its size from the start, follows it, and takes Ctrl-C as a key`() async throws {
        try await withApp { fixture, orchestrator, app, set async throws in
            let end = OtherEnd()
            // Its own words must not stand in what the terminal echoes.
            let script =
                "stty size; while [ \"$(stty size)\" != '22 44' ]; do sleep 0.1; done; echo re''sized; read line; echo got $line; cat"
            async let ended = orchestrator.run(
                CommandOrder(["sh", "-c", script], terminal: .init(columns: 99, rows: 33)), like: set, appID: app.id!, app: app.name,
                user: "ada", session: end.session)
            await end.wait(for: "33 99\r\n")
            end.send(.resize(.init(columns: 44, rows: 22)))
            await end.wait(for: "resized\r\n")
            end.type("hello\r")
            await end.wait(for: "got hello\r\n")
            #expect(end.text().contains("hello\r\ngot"), "the terminal echoes what is typed")
            end.type("\u{3}")
            #expect(try await ended.exitCode == 130)
        }
    }

    @Test func `what a slow reader does not take stays with the command`() async throws {
        try await withApp { fixture, orchestrator, app, set async throws in
            let size = 50 << 20
            let before = Self.residentBytes()
            let received = Mutex(0)
            let peak = Mutex(0)
            let session = CommandSession { _, bytes in
                let count = received.withLock { count in
                    count += bytes.count
                    return count
                }
                // As slow as is worth waiting for: the command is a hundred times faster.
                if count % (1 << 20) < bytes.count { try await Task.sleep(for: .milliseconds(20)) }
                peak.withLock { $0 = max($0, Self.residentBytes()) }
            }
            let end = try await orchestrator.run(
                CommandOrder(["sh", "-c", "head -c \(size) /dev/zero"]), like: set, appID: app.id!, app: app.name, user: "ada",
                session: session)
            #expect(end.exitCode == 0)
            #expect(received.withLock(\.self) == size)
            #expect(peak.withLock(\.self) - before < 24 << 20, "it is not held in memory")
        }
    }

    @Test func `where its other end goes, a command and its container go`() async throws {
        try await withApp { fixture, orchestrator, app, set async throws in
            for isHangUp in [true, false] {
                let end = OtherEnd()
                let caller = Task {
                    try await orchestrator.run(
                        CommandOrder(["sh", "-c", "trap '' HUP; echo up; while true; do sleep 0.1; done"]), like: set, appID: app.id!,
                        app: app.name, user: "ada",
                        session: isHangUp
                            ? CommandSession { _, _ in throw CancellationError() } : end.session)
                }
                if !isHangUp {
                    await end.wait(for: "up")
                    #expect(await orchestrator.oneOffs(of: app.id!).map(\.program) == ["sh"])
                    caller.cancel()
                }
                let outcome = await caller.result
                #expect(throws: MoorError.self) { try outcome.get() }
                #expect(try await fixture.containers().isEmpty)
            }
        }
    }

    @Test func `a command in a replica has its rights, its exit code, and an end`() async throws {
        try await withApp { fixture, orchestrator, app, set async throws in
            try await orchestrator.apply(Workload(appID: app.id!, app: app.name, sets: [set]))
            let replica = try await orchestrator.wait(for: app.id!) { $0.first?.state == .ready }[0].replicaID
            func exec(_ arguments: [String], _ end: OtherEnd, terminal: TerminalSize? = nil) async throws -> CommandEnd {
                try await orchestrator.exec(
                    CommandOrder(arguments, environment: ["SIZE": "7"], terminal: terminal), in: replica, session: end.session)
            }
            let rights = OtherEnd()
            rights.type("typed")
            rights.input.end()
            let script =
                "cat; echo $COLOUR $SIZE; id -u; while read -r a b; do case $a in CapEff:|CapBnd:|NoNewPrivs:) echo $a $b;; esac; done < /proc/self/status; echo bad >&2; exit 7"
            #expect(try await exec(["sh", "-c", script], rights).exitCode == 7)
            #expect(rights.text() == "typedblue 7\n10001\nCapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\n")
            #expect(rights.text(.error) == "bad\n")
            #expect(try await exec(["no-such-program"], OtherEnd()).exitCode == 127)

            let signalled = OtherEnd()
            async let ended = exec(["sh", "-c", "echo up; sleep 100"], signalled)
            await signalled.wait(for: "up")
            signalled.send(.signal(.interrupt))
            #expect(try await ended.exitCode == 130)

            let shell = OtherEnd()
            async let left = exec(["sh"], shell, terminal: .init(columns: 99, rows: 33))
            shell.type("stty size\r")
            await shell.wait(for: "33 99\r\n")
            shell.type("exit 3\r")
            #expect(try await left.exitCode == 3)

            // Neither heeds SIGTERM: the grace is over after two seconds.
            let gone = OtherEnd()
            let caller = Task { try await exec(["sh", "-c", "trap '' TERM; echo up; while true; do sleep 0.1; done", "vanish"], gone) }
            await gone.wait(for: "up")
            caller.cancel()
            _ = await caller.result
            let look = OtherEnd()
            _ = try await exec(["sh", "-c", "grep -l 'vanis[h]' /proc/[0-9]*/cmdline | wc -l"], look)
            #expect(await orchestrator.replicas(of: app.id!).first?.state == .ready, "the replica goes on")
            #expect(look.text() == "0\n")

            let cut = OtherEnd()
            async let cutEnd = exec(["sh", "-c", "echo up; sleep 100"], cut)
            await cut.wait(for: "up")
            try await orchestrator.remove(appID: app.id!, app: app.name)
            #expect(try await cutEnd.exitCode == 137)
        }
    }

    @Test func `a detached command outlives the platform's process, an attended one does not`() async throws {
        try await withFixture { fixture in
            let process = worker("sleep 1000")
            let (app, releaseID) = try await fixture.makeRelease("sales", formation: [process])
            let set = fixture.set(process, releaseID)
            let started = try await fixture.withOrchestrator { orchestrator in
                // As a kill leaves it: nobody removes it.
                var spec = try await orchestrator.oneOffSpec(
                    "\(app.id!).run.1", CommandOrder(["sleep", "1000"]), like: set, appID: app.id!, app: app.name)
                spec.host.isUnlogged = true
                try await fixture.engine.startContainer(try await fixture.engine.createContainer(spec, name: "attended"))
                return try await orchestrator.start(
                    CommandOrder(["sh", "-c", "echo begun; trap 'echo told; exit 5' TERM; while true; do sleep 0.1; done"]), like: set,
                    appID: app.id!, app: app.name, user: "ada")
            }
            #expect(started.name.wholeMatch(of: /run\.\d{4}/) != nil)
            try await fixture.withOrchestrator { orchestrator in
                #expect(try await fixture.containers().map { $0.labels[Label.oneOff] } == ["\(app.id!).\(started.name)"])
                #expect(await orchestrator.oneOffs(of: app.id!) == [started])
                var lines = try await orchestrator.logs(appID: app.id!, process: "run", tail: 10, follow: true).makeAsyncIterator()
                #expect(try await lines.next() == LogLine(replica: started.name, text: "begun"))
                let changes = await orchestrator.changes(of: app.id!)
                try await orchestrator.stopOneOff(named: started.name, of: app.id!)
                for await _ in changes where await orchestrator.oneOffs(of: app.id!).allSatisfy({ $0.end != nil }) { break }
                #expect(await orchestrator.oneOffs(of: app.id!).map(\.end) == [.init(exitCode: 5, reason: "exited with code 5")])
                #expect(try await fixture.containers().isEmpty)
                let kept = try await orchestrator.logs(appID: app.id!, process: nil, tail: 10, follow: false)
                #expect(try await kept.reduce(into: []) { $0.append($1.text) } == ["begun", "told"])
                let again = await refused { try await orchestrator.stopOneOff(named: started.name, of: app.id!) }
                #expect(again?.code == .notFound)
            }
        }
    }

    private static func residentBytes() -> Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first
        return (pages.flatMap { Int($0) } ?? 0) * 4096
    }
}
