import Testing

@testable import API

@Suite(.timeLimit(.minutes(4)))
struct LineQueueTests {
    @Test func `what is in it when it is finished is still read`() async {
        let queue = LineQueue(capacity: 4)
        #expect(await queue.send("a"))
        #expect(await queue.send("b"))
        queue.finish()
        #expect(await queue.send("c") == false)
        #expect(await queue.next() == "a")
        #expect(await queue.next() == "b")
        #expect(await queue.next() == nil)
    }

    @Test func `an offer to a full queue is dropped`() async {
        let queue = LineQueue(capacity: 1)
        queue.offer("a")
        queue.offer("b")
        queue.finish()
        #expect(await queue.next() == "a")
        #expect(await queue.next() == nil)
    }

    @Test func `senders wait for room and lose nothing`() async {
        let queue = LineQueue(capacity: 2)
        let received = await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask {
                    for number in 0..<100 { _ = await queue.send("\(sender) \(number)") }
                }
            }
            var received: Set<String> = []
            while received.count < 400, let line = await queue.next() { received.insert(line) }
            return received
        }
        #expect(received.count == 400)
    }

    @Test func `abandoning it frees a waiting sender and a waiting reader`() async {
        let full = LineQueue(capacity: 1)
        full.offer("a")
        let empty = LineQueue(capacity: 1)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { #expect(await full.send("b") == false) }
            group.addTask { #expect(await empty.next() == nil) }
            full.abandon()
            empty.abandon()
        }
        #expect(await full.next() == nil)
    }
}
