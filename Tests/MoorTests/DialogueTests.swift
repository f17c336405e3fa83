import API
import Commands
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Models
import NIOCore
import Store
import Synchronization
import TestSupport
import Testing

@testable import moor

/// The client's end of a command against the real API.
@Suite(.timeLimit(.minutes(2)))
struct DialogueTests {
    typealias Work = PlainCommands.Work
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let echo = CommandStart(command: ["cat"], environment: [:], target: "web", terminal: nil, hasInput: true)

    private func withPlatform(
        idle: Duration = .seconds(60), token isRight: Bool = true, _ work: @escaping Work,
        _ body: @escaping @Sendable (PlatformClient, AppName) async throws -> Void
    ) async throws {
        try await withDataStore { store, admin in
            let (accounts, apps) = (PlainAccounts(store: store), PlainApps(store: store))
            let token = try await accounts.createToken(for: admin.userID, name: "ci", expiresInDays: 3)
            _ = try await store.makeApp("sales", owner: admin)
            let router = Router(context: BasicRequestContext.self)
            let api = APIController(
                store: store, authenticator: accounts, accounts: accounts, operations: apps, builds: apps, commands: PlainCommands(work),
                version: "1", logger: Self.logger, commandIdleLimit: idle)
            api.addRoutes(to: router)
            try await Application(router: router, server: api.server, logger: Self.logger).test(.live) { client in
                let origin = try Origin("http://localhost:\(client.port!)")
                try await PlatformClient.with(origin, token: isRight ? token : "wrong") { platform in
                    try await body(platform, try AppName(validating: "sales"))
                }
            }
        }
    }

    /// Says the frames, and what the platform answers until it hangs up.
    private func say(_ messages: [ByteBuffer], _ platform: PlatformClient, _ app: AppName, kind: String = "run") async throws
        -> [ServerFrame]
    {
        let channel = try await platform.dialogue(kind, app: app)
        return try await channel.executeThenClose { inbound, outbound in
            // One that hung up early takes no more.
            for message in messages { try? await outbound.write(message) }
            var said: [ServerFrame] = []
            do {
                for try await message in inbound {
                    said.append(try ServerFrame(message))
                    if case .status = said.last { break }
                }
            } catch is ChannelError {}
            return said
        }
    }

    private static let cat: Work = { what, order, session async throws(MoorError) in
        do {
            while let piece = await session.input?() { try await session.output(.output, piece[...]) }
            try await session.output(.error, Array("\(what) \(order.arguments)".utf8)[...])
        } catch {
            throw .wrapping(error)
        }
        return CommandEnd(exitCode: 7, reason: "exited with code 7")
    }

    @Test func `input goes there, both outputs and the exit code come back`() async throws {
        try await withPlatform(Self.cat) { platform, app in
            let frames: [ClientFrame] = [.start(Self.echo), .input(ByteBuffer(string: "one")), .endOfInput]
            let said = try await say(frames.map(\.message), platform, app, kind: "exec")
            #expect(
                said == [
                    .credit(3), .output(.output, ByteBuffer(string: "one")),
                    .output(.error, ByteBuffer(string: #"exec web by ada ["cat"]"#)),
                    .status(CommandStatus(CommandEnd(exitCode: 7, reason: "exited with code 7"))),
                ])
        }
    }

    @Test func `signals and sizes overtake input that nobody reads`() async throws {
        let work: Work = { _, _, session async throws(MoorError) in
            for await control in session.control where control == .signal(.interrupt) { return CommandEnd(exitCode: 130) }
            return CommandEnd(exitCode: 1)
        }
        try await withPlatform(work) { platform, app in
            let piece = ClientFrame.input(ByteBuffer(repeating: 0x61, count: CommandBounds.piece)).message
            let unread = Array(repeating: piece, count: CommandBounds.window / CommandBounds.piece)
            let signals: [ClientFrame] = [.control(.resize(.init(columns: 1, rows: 1))), .control(.signal(.interrupt))]
            let said = try await say([ClientFrame.start(Self.echo).message] + unread + signals.map(\.message), platform, app)
            #expect(said == [.status(CommandStatus(CommandEnd(exitCode: 130)))])
        }
    }

    private static let tooMuch = ClientFrame.input(ByteBuffer(repeating: 0, count: CommandBounds.piece)).message

    @Test(arguments: [
        [ByteBuffer(string: "GET / HTTP/1.1\r\n")], [ClientFrame.endOfInput.message],
        [ClientFrame.start(echo).message, ClientFrame.start(echo).message],
        [ClientFrame.start(echo).message] + Array(repeating: tooMuch, count: CommandBounds.window / CommandBounds.piece + 1),
        [ClientFrame.start(echo).message, ClientFrame.endOfInput.message, tooMuch],
        [ClientFrame.start(echo).message, ByteBuffer(repeating: 0, count: CommandBounds.message + 1)],
    ])
    func `a client that keeps to no rule is hung up on, and its command ends`(_ messages: [ByteBuffer]) async throws {
        let running = Mutex(0)
        let work: Work = { _, _, session async throws(MoorError) in
            running.withLock { $0 += 1 }
            for await _ in session.control {}
            running.withLock { $0 -= 1 }
            throw MoorError(.cancelled, "cancelled")
        }
        try await withPlatform(work) { platform, app in
            let said = try await say(messages, platform, app)
            // Where it is told anything at all, then that its command was ended.
            for case .status(let status) in said { #expect(status.error?.code == "cancelled") }
        }
        #expect(running.withLock(\.self) == 0)
    }

    @Test func `a command that nobody says anything to or hears anything of is ended in time`() async throws {
        let work: Work = { _, _, session async throws(MoorError) in
            for await _ in session.control {}
            throw MoorError(.cancelled, "cancelled")
        }
        try await withPlatform(idle: .milliseconds(300), work) { platform, app in
            let said = try await say([ClientFrame.start(Self.echo).message], platform, app)
            guard case .status(let status) = said.last else { return #expect(Bool(false), "there is no status: \(said)") }
            #expect(status.error?.code == "timedOut")
        }
    }

    @Test func `what a client does not read stays unwritten, and its end is seen all the same`() async throws {
        let written = Mutex(0)
        let (ended, ending) = AsyncStream.makeStream(of: Void.self)
        let work: Work = { _, _, session async throws(MoorError) in
            let piece = [UInt8](repeating: 0, count: 1 << 16)
            do {
                while true {
                    try await session.output(.output, piece[...])
                    written.withLock { $0 += piece.count }
                }
            } catch {
                ending.finish()
                throw .wrapping(error)
            }
        }
        try await withPlatform(work) { platform, app in
            let channel = try await platform.dialogue("run", app: app)
            try await channel.executeThenClose { _, outbound in
                try await outbound.write(ClientFrame.start(Self.echo).message)
                // Until it stands still.
                var before = -1
                while written.withLock(\.self) != before || before == 0 {
                    before = written.withLock(\.self)
                    try await Task.sleep(for: .milliseconds(300))
                }
                // What the kernel holds at both ends (tcp(7)), a few messages on the way, and no more.
                let kernel = ["tcp_rmem", "tcp_wmem"].map { name in
                    let limits = try? String(contentsOfFile: "/proc/sys/net/ipv4/\(name)", encoding: .utf8)
                    return limits?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } ?? 0
                }
                #expect(before < kernel.reduce(2 << 20, +))
            }
            for await _ in ended {}
        }
    }

    @Test func `who is refused is told why, as elsewhere`() async throws {
        try await withPlatform(token: false, Self.cat) { platform, app in
            let error = await refused { _ = try await platform.dialogue("run", app: app) }
            #expect(error?.code == .unauthenticated)
        }
        try await withPlatform(Self.cat) { platform, app in
            let error = await refused { _ = try await platform.dialogue("exec", app: try AppName(validating: "other")) }
            #expect(error?.code == .notFound)
            let bad = CommandStart(command: [], environment: [:], target: nil, terminal: nil, hasInput: false)
            let said = try await say([ClientFrame.start(bad).message], platform, app)
            guard case .status(let status) = said.last else { return #expect(Bool(false), "there is no status: \(said)") }
            #expect(status.error?.code == "invalid")
        }
    }
}
