import Models
import Testing

@testable import Builds

extension Identifier: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) { self.init(value) }
}

@Suite(.timeLimit(.minutes(1)))
struct `The queue of builds` {
    /// What those who wait are told, in order.
    private actor Told {
        private(set) var lines: [String] = []
        private var watchers: [(String, CheckedContinuation<Void, Never>)] = []

        func add(_ line: String) {
            lines.append(line)
            for (text, watcher) in watchers where text == line { watcher.resume() }
            watchers.removeAll { $0.0 == line }
        }

        func wait(for line: String) async {
            if lines.contains(line) { return }
            await withCheckedContinuation { watchers.append((line, $0)) }
        }
    }

    private func build(_ name: String, app: AppID, _ slots: BuildSlots, _ told: Told) -> Task<Int?, Never> {
        Task {
            let slot = try? await slots.take(app) { await told.add("\(name): \($0)") }
            await told.add(slot == nil ? "\(name) left" : "\(name) runs")
            return slot
        }
    }

    @Test func `lets the first in first, and tells the others each new place`() async throws {
        let (slots, told) = (BuildSlots(1), Told())
        let a = await build("a", app: 1, slots, told).value
        let b = build("b", app: 2, slots, told)
        await told.wait(for: "b: 0")
        let c = build("c", app: 3, slots, told)
        await told.wait(for: "c: 1")
        await slots.give(try #require(a), 1)
        await told.wait(for: "b runs")
        await told.wait(for: "c: 0")
        await slots.give(try #require(await b.value), 2)
        #expect(await c.value == 0)
        #expect(await told.lines.last == "c runs")
    }

    @Test func `runs one build of an app at a time, without holding up others`() async throws {
        let (slots, told) = (BuildSlots(2), Told())
        let first = try #require(await build("first", app: 1, slots, told).value)
        let second = build("second", app: 1, slots, told)
        await told.wait(for: "second: 0")
        let other = build("other", app: 2, slots, told)
        let slot = try #require(await other.value)
        #expect(Set([first, slot]) == [0, 1])
        await slots.give(first, 1)
        #expect(await second.value == first)
        await slots.give(slot, 2)
    }

    @Test func `lets those who wait leave, and gives their place to the next`() async throws {
        let (slots, told) = (BuildSlots(1), Told())
        let a = try #require(await build("a", app: 1, slots, told).value)
        let b = build("b", app: 2, slots, told)
        await told.wait(for: "b: 0")
        let c = build("c", app: 3, slots, told)
        await told.wait(for: "c: 1")
        b.cancel()
        #expect(await b.value == nil)
        await told.wait(for: "c: 0")
        await slots.give(a, 1)
        #expect(await c.value == 0)
    }

    @Test func `loses no slot, whenever those who wait are cancelled`() async throws {
        let slots = BuildSlots(2)
        await withTaskGroup { group in
            for number in 0..<80 {
                let task = Task {
                    guard let slot = try? await slots.take(AppID(Int64(number % 7)), told: { _ in }) else { return }
                    await Task.yield()
                    await slots.give(slot, AppID(Int64(number % 7)))
                }
                group.addTask { await task.value }
                if number % 3 == 0 {
                    group.addTask {
                        await Task.yield()
                        task.cancel()
                    }
                }
            }
        }
        let one = try await slots.take(100) { _ in Issue.record("a slot is lost") }
        let two = try await slots.take(101) { _ in Issue.record("a slot is lost") }
        #expect(Set([one, two]) == [0, 1])
    }

    @Test func `refuses clearly when it is full`() async throws {
        let (slots, told) = (BuildSlots(1, longest: 1), Told())
        let a = try #require(await build("a", app: 1, slots, told).value)
        let b = build("b", app: 2, slots, told)
        await told.wait(for: "b: 0")
        let error = await #expect(throws: MoorError.self) { _ = try await slots.take(3) { _ in } }
        #expect(error?.code == .rateLimited)
        #expect(error?.hint?.contains("build.concurrency") == true)
        await slots.give(a, 1)
        #expect(await b.value == 0)
    }
}
