import Hummingbird
import Models
import NIOCore

extension Response {
    /// An `application/x-ndjson` response: what `produce` puts into the queue, a line each, and a blank line every
    /// `heartbeat`. A failure becomes the last line, `{"error":{…}}`.
    ///
    /// - Parameter endsWithReader: whether a client that hangs up cancels `produce`; without, it runs to its end unread.
    static func lines(
        for request: Request, heartbeat: Duration?, endsWithReader: Bool,
        produce: @escaping @Sendable (LineQueue) async throws -> Void
    ) -> Response {
        let body = ResponseBody { writer in
            let queue = LineQueue(capacity: 256)
            try await request.body.consumeWithInboundCloseHandler { _ in
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await run(produce, into: queue, heartbeat: heartbeat) }
                    do {
                        while let line = await queue.next() { try await writer.write(ByteBuffer(string: line + "\n")) }
                    } catch {
                        queue.abandon()
                    }
                    if endsWithReader { group.cancelAll() }
                }
            } onInboundClosed: {
                queue.abandon()
            }
            try await writer.finish(nil)
        }
        // Watching for the client's end uses up the connection.
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson", .connection: "close"], body: body)
    }

    private static func run(
        _ produce: @escaping @Sendable (LineQueue) async throws -> Void, into queue: LineQueue, heartbeat: Duration?
    ) async {
        await withTaskGroup(of: Void.self) { group in
            if let heartbeat {
                group.addTask {
                    while (try? await Task.sleep(for: heartbeat)) != nil { queue.offer("") }
                }
            }
            do {
                try await produce(queue)
            } catch {
                _ = await queue.send(["error": Problem.shape.json(.wrapping(error))])
            }
            group.cancelAll()
        }
        queue.finish()
    }

    /// The progress of a change to an app: `{"line":…}` for each line, then `{"release":…}` with what `change` returns.
    ///
    /// A change that has begun is finished whether or not anybody reads, and never waits for a reader that has stopped.
    static func progress(
        for request: Request, heartbeat: Duration, of change: @escaping @Sendable (DeployLog) async throws -> Int?
    ) -> Response {
        lines(for: request, heartbeat: heartbeat, endsWithReader: false) { queue in
            let number = try await change(DeployLog { line in queue.offer(["line": .string(line)]) })
            _ = await queue.send(["release": JSON(number)])
        }
    }
}

extension LineQueue {
    func send(_ value: JSON) async -> Bool { await send(value.line) }
    func offer(_ value: JSON) { offer(value.line) }
}

extension JSON {
    /// On one line, for a stream. Everything a `JSON` can hold can be encoded, apart from a number that is not finite.
    var line: String { (try? encoded()).map { String(decoding: $0, as: UTF8.self) } ?? "null" }
}
