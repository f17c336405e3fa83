import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Models
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4)))
struct StreamTests {
    @Test func `logs come as lines of JSON`() async throws {
        try await World.run { world in
            world.apps.setLogs { _ in
                AsyncThrowingStream { stream in
                    stream.yield(LogLine(replica: "web.1", text: "one \"two\""))
                    stream.yield(LogLine(replica: "worker.1", text: ""))
                    stream.finish()
                }
            }
            try await world.application().test(.router) { client in
                let response = try await client.call(.get, "/apps/sales-owner/logs", as: .owner)
                #expect(response.headers[.contentType] == "application/x-ndjson")
                #expect(response.lines == [#"{"replica":"web.1","text":"one \"two\""}"#, #"{"replica":"worker.1","text":""}"#])
            }
        }
    }

    @Test func `more lines than fit at once all arrive`() async throws {
        try await World.run { world in
            world.apps.setLogs { _ in
                AsyncThrowingStream { stream in
                    for number in 0..<5000 { stream.yield(LogLine(replica: "web.1", text: String(number))) }
                    stream.finish()
                }
            }
            try await world.application().test(.router) { client in
                let response = try await client.call(.get, "/apps/sales-owner/logs", as: .owner)
                #expect(response.lines.count == 5000)
                #expect(response.lines.last == #"{"replica":"web.1","text":"4999"}"#)
            }
        }
    }

    @Test func `a stream that breaks says why in its last line`() async throws {
        try await World.run { world in
            world.apps.setLogs { _ in
                AsyncThrowingStream { stream in
                    stream.yield(LogLine(replica: "web.1", text: "one"))
                    stream.finish(throwing: MoorError(.unavailable, "the engine is down", hint: "start it", detail: ["a", "b"]))
                }
            }
            try await world.application().test(.router) { client in
                let response = try await client.call(.get, "/apps/sales-owner/logs", as: .owner)
                #expect(
                    response.lines.last
                        == #"{"error":{"code":"unavailable","detail":"a\nb","hint":"start it","message":"the engine is down"}}"#)
            }
        }
    }

    @Test func `a change shows its progress and ends with the release`() async throws {
        try await World.run { world in
            try await world.application().test(.router) { client in
                let back = try await client.call(.post, "/apps/sales-owner/rollback", as: .owner, body: #"{"release":null}"#)
                #expect(back.lines == [#"{"line":"rolling"}"#, #"{"release":7}"#])
                world.apps.setRollout { _ throws(MoorError) in nil }
                let config = try await client.call(.patch, "/apps/sales-owner/config", as: .owner, body: #"{"set":{"A":"1","B":"2"}}"#)
                #expect(config.lines == [#"{"release":null}"#])
                _ = try await client.call(.patch, "/apps/sales-owner/config", as: .owner, body: #"{"set":{"C":"=é\n"},"unset":["A"]}"#)
                let values = try await client.call(.get, "/apps/sales-owner/config", as: .owner)
                #expect(values.text == #"{"build":[],"config":{"B":"2","C":"=é\n"}}"#)
            }
        }
    }

    @Test func `a change that fails ends with the error`() async throws {
        try await World.run { world in
            world.apps.setRollout { log throws(MoorError) in
                await log.line("web.1 starts")
                throw MoorError(.appFailed, "web.1 ended with code 1", detail: ["Traceback"])
            }
            try await world.application().test(.router) { client in
                let response = try await client.call(.post, "/apps/sales-owner/rollback", as: .owner, body: "{}")
                #expect(response.status == .ok)
                #expect(response.lines.first == #"{"line":"web.1 starts"}"#)
                #expect(
                    response.lines.last
                        == #"{"error":{"code":"appFailed","detail":"Traceback","hint":null,"message":"web.1 ended with code 1"}}"#)
            }
        }
    }

    /// Starts the server, asks for a stream and hands its response on; what `body` does not read is dropped with the client.
    private func streaming(
        _ world: World, _ method: String, _ path: String, heartbeat: Duration = .seconds(600),
        _ body: @escaping @Sendable (HTTPClientResponse) async throws -> Void
    ) async throws {
        try await world.application(heartbeat: heartbeat).test(.live) { client in
            let port = try #require(client.port)
            try await HTTPClient.withHTTPClient { http in
                var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/api/v1/apps/sales-owner/\(path)")
                request.method = .init(rawValue: method)
                request.headers.add(name: "Authorization", value: "Bearer token-owner-old")
                request.headers.add(name: "Content-Type", value: "application/json")
                if method == "POST" { request.body = .bytes(ByteBuffer(string: "{}")) }
                try await body(try await http.execute(request, timeout: .seconds(30)))
            }
        }
    }

    @Test func `a followed log carries blank lines while nothing happens`() async throws {
        try await World.run { world in
            world.apps.setLogs { follow in AsyncThrowingStream { stream in if !follow { stream.finish() } } }
            try await streaming(world, "GET", "logs?follow=true", heartbeat: .milliseconds(20)) { response in
                var parts = response.body.makeAsyncIterator()
                let part1 = try await parts.next()
                #expect(part1 == ByteBuffer(string: "\n"))
                let part2 = try await parts.next()
                #expect(part2 == ByteBuffer(string: "\n"))
            }
        }
    }

    @Test func `a followed log ends when the client hangs up, without waiting for a heartbeat`() async throws {
        try await World.run { world in
            let (ended, ending) = AsyncStream<Void>.makeStream()
            world.apps.setLogs { _ in
                AsyncThrowingStream { stream in
                    stream.onTermination = { _ in ending.finish() }
                    stream.yield(LogLine(replica: "web.1", text: "one"))
                }
            }
            try await streaming(world, "GET", "logs?follow=true") { response in
                var parts = response.body.makeAsyncIterator()
                _ = try await parts.next()
            }
            for await _ in ended {}
        }
    }

    @Test func `a change that was begun is finished though the client hangs up`() async throws {
        try await World.run { world in
            let (gone, going) = AsyncStream<Void>.makeStream()
            let (ended, ending) = AsyncStream<Bool>.makeStream()
            world.apps.setRollout { log throws(MoorError) in
                await log.line("begun")
                for await _ in gone {}
                // More than the queue holds: nobody reads, and nothing waits for it.
                for number in 0..<1000 { await log.line(String(number)) }
                ending.yield(!Task.isCancelled)
                ending.finish()
                return 7
            }
            try await streaming(world, "POST", "rollback") { response in
                var parts = response.body.makeAsyncIterator()
                _ = try await parts.next()
                going.finish()
            }
            #expect(await ended.first { _ in true } == true)
        }
    }
}
