import AsyncHTTPClient
import Foundation
import Models
import NIOCore

extension PlatformClient {
    /// A stream's lines as they come, without the blank ones that show it lives.
    func lines(
        _ method: Method, _ path: [String], query: [String: String] = [:], body: (any Encodable & Sendable)? = nil,
        _ each: (Data) throws -> Void
    ) async throws {
        let response = try await response(method, path, query: query, body: body)
        var splitter = LineSplitter()
        var parts = response.body.makeAsyncIterator()
        while true {
            let part: ByteBuffer?
            do { part = try await parts.next() } catch { throw unreachable(error) }
            guard let part else { break }
            for line in try splitter.feed(part.readableBytesView) where !line.isEmpty { try each(line) }
        }
        if let last = splitter.finish() { try each(last) }
    }

    /// One line of a change's progress.
    private struct Progress: Decodable {
        var line: String?
        var release: Int?
        var error: Told?
    }

    /// Prints a change's progress to its end.
    /// - Returns: the new release's number; nil where there is none.
    func follow(
        _ method: Method, _ path: [String], body: (any Encodable & Sendable)?, json: Bool
    ) async throws -> Int? {
        var end: Progress?
        try await lines(method, path, body: body) { line in
            if json { try Console.write(line) }
            let progress = try decode(Progress.self, line)
            if let text = progress.line {
                if !json { try Console.line(text) }
            } else {
                end = progress
            }
        }
        if let error = end?.error?.error { throw error }
        guard let end else {
            throw MoorError(.unavailable, "\(origin) went away before the change was done", hint: "moor releases shows how it ended")
        }
        return end.release
    }
}
