import Models
import Store
import TestSupport
import Testing

@testable import Pushes

struct QueueTests {
    @Test func `a push that waits for one that fails is told so and then deploys`() async throws {
        let gate = Signal()
        let deploy: TestDeployer.Deploy = { push, _, _ throws(MoorError) in
            guard push.subject == "slow" else { return }
            await gate.wait()
            throw MoorError(.appFailed, "it does not start")
        }
        try await PushServer.run(deploy: deploy) { server in
            let (slow, quick) = try await pushTwo(server, open: gate)
            #expect(!slow.succeeded)
            #expect(quick.succeeded)
            #expect(quick.output.contains("another deploy of sales is running; waiting… (1 ahead)"))
            #expect(try await server.pushes().map(\.state) == [.accepted, .rejected, .accepted])
            #expect(server.deployer.pushes.map(\.subject) == ["first", "slow", "quick"])
        }
    }

    @Test func `a push that waits for one that succeeds is told before anything is built`() async throws {
        let gate = Signal()
        let deploy: TestDeployer.Deploy = { push, _, _ throws(MoorError) in
            if push.subject == "slow" { await gate.wait() }
        }
        try await PushServer.run(deploy: deploy) { server in
            let (slow, quick) = try await pushTwo(server, open: gate)
            #expect(slow.succeeded)
            #expect(!quick.succeeded)
            #expect(quick.output.contains("was pushed by somebody else while this push waited"))
            #expect(server.deployer.pushes.map(\.subject) == ["first", "slow"])
        }
    }

    @Test func `more pushes than may wait are refused`() async throws {
        let gate = Signal()
        let deploy: TestDeployer.Deploy = { push, _, _ throws(MoorError) in
            if push.subject == "slow" { await gate.wait() }
        }
        try await PushServer.run(maximumWaiting: 0, deploy: deploy) { server in
            try await server.makeWork()
            try await server.ok("push", server.url("sales"), "main")
            try await server.commit(["app.py": "2\n"], message: "slow")
            try await withThrowingTaskGroup(of: GitResult.self) { group in
                group.addTask { try await server.git("push", server.url("sales"), "main") }
                for await push in server.deployer.begins where push.subject == "slow" { break }
                let refused = try await server.git("push", server.url("sales"), "HEAD^{commit}:main")
                #expect(!refused.succeeded)
                #expect(refused.output.contains("are waiting already"))
                gate.fire()
                let first = try await group.next()
                #expect(first?.succeeded == true)
            }
        }
    }

    @Test func `turns come in the order of arrival, and a cancelled waiter leaves the line`() async throws {
        let queue = DeployQueue(maximumWaiting: 10)
        let order = Order()
        let gates = [Signal(), Signal(), Signal()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (arrivals, arrival) = AsyncStream<Int>.makeStream()
            func enter(_ number: Int) {
                group.addTask {
                    try await queue.enter(AppID(1)) { arrival.yield($0) }
                    await order.append(number)
                    if number == 0 { arrival.yield(0) }
                    await gates[number].wait()
                    queue.leave(AppID(1))
                }
            }
            var iterator = arrivals.makeAsyncIterator()
            for number in 0..<3 {
                enter(number)
                #expect(await iterator.next() == number)
            }
            let cancelled = Task { try await queue.enter(AppID(1)) { arrival.yield($0) } }
            #expect(await iterator.next() == 3)
            cancelled.cancel()
            _ = await refused { try await cancelled.value }
            for gate in gates { gate.fire() }
            try await group.waitForAll()
        }
        #expect(await order.numbers == [0, 1, 2])
        try await queue.enter(AppID(1)) { _ in Issue.record("the line is empty") }
    }

    private actor Order {
        var numbers: [Int] = []
        func append(_ number: Int) { numbers.append(number) }
    }

    /// Starts a slow push and, while that deploys, a second one from another clone; then opens the gate.
    private func pushTwo(_ server: PushServer, open gate: Signal) async throws -> (slow: GitResult, quick: GitResult) {
        try await server.makeWork()
        try await server.ok("push", server.url("sales"), "main")
        try await server.ok("clone", "-q", server.url("sales"), "other", in: ".")
        try await server.commit(["app.py": "2\n"], message: "slow")
        try await server.commit(["app.py": "3\n"], message: "quick", in: "other")
        return try await withThrowingTaskGroup(of: (Bool, GitResult).self) { group in
            group.addTask { (true, try await server.git("push", server.url("sales"), "main")) }
            for await push in server.deployer.begins where push.subject == "slow" { break }
            group.addTask { (false, try await server.git("push", server.url("sales"), "main", in: "other")) }
            try await server.untilPushes { $0.last?.state == .waiting }
            gate.fire()
            var results: [Bool: GitResult] = [:]
            for try await (isSlow, result) in group { results[isSlow] = result }
            return (results[true]!, results[false]!)
        }
    }
}
