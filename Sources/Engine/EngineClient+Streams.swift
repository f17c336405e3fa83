import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Something that happened to a container.
package struct EngineEvent: Decodable, Sendable {
    package struct Actor: Decodable, Sendable {
        package var id: String
        package var attributes: [String: String]

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case attributes = "Attributes"
        }
    }

    /// "start", "die", "oom", …
    package var action: String
    package var actor: Actor

    enum CodingKeys: String, CodingKey {
        case action = "Action"
        case actor = "Actor"
    }
}

extension EngineClient {
    /// What happens from now on to the containers that carry the label ("key=value"). Returns when the engine ends the stream.
    /// - Parameter opened: called once the engine has taken the subscription.
    package func events(
        label: String, opened: () async -> Void, each: (EngineEvent) async -> Void
    ) async throws {
        let filters = Self.filters(["type": ["container"], "label": [label]])
        let response = try await send(.GET, "/v1.41/events?filters=\(filters)", deadline: .seconds(24 * 3600))
        await opened()
        var lines = LineSplitter()
        for try await chunk in response.body {
            for line in lines.feed(chunk.readableBytesView) {
                guard let event = try? JSONDecoder().decode(EngineEvent.self, from: Data(line.utf8)) else { continue }
                await each(event)
            }
        }
    }

    /// The lines a container wrote: the last `tail` (all where negative), then with `follow` what comes until it ends.
    /// The next chunk is read when `each` returns, so a slow reader holds back the engine and not our memory.
    package func logs(of id: String, tail: Int, follow: Bool, each: (String) async throws -> Void) async throws {
        guard tail > 0 else { return try await readLogs(of: id, isWhole: tail < 0, follow: follow, each: each) }
        // Podman's own `tail` joins a line that was written in pieces with the one before it, or loses it. So we read all,
        // which is bounded (`logBytes`), and keep the last; what is followed we count first, and skip what comes before.
        if !follow {
            var last: [String] = []
            try await readLogs(of: id, isWhole: true, follow: false) { line in
                last.append(line)
                if last.count >= 2 * tail { last.removeFirst(last.count - tail) }
            }
            for line in last.suffix(tail) { try await each(line) }
            return
        }
        var count = 0
        try await readLogs(of: id, isWhole: true, follow: false) { _ in count += 1 }
        var skip = count - tail
        try await readLogs(of: id, isWhole: true, follow: true) { line in
            skip -= 1
            if skip < 0 { try await each(line) }
        }
    }

    private func readLogs(of id: String, isWhole: Bool, follow: Bool, each: (String) async throws -> Void) async throws {
        let path =
            "/v1.41/containers/\(Self.encode(id))/logs?stdout=1&stderr=1&follow=\(follow ? 1 : 0)&tail=\(isWhole ? "all" : "0")"
        let response = try await send(.GET, path, deadline: follow ? .seconds(24 * 3600) : .seconds(30))
        var frames = LogFrameDecoder()
        for try await chunk in response.body {
            for line in frames.feed(chunk) { try await each(line) }
        }
        for line in frames.finish() { try await each(line) }
    }
}
