import Foundation
package import Models
package import NIOCore
import NIOFoundationCompat

/// What travels between `moor` and the platform while a command runs: one binary WebSocket message each, whose first byte is
/// the channel, as Kubernetes' `v5.channel.k8s.io` has it (0 to 4 and 255); 5 and 6 are ours.
package enum CommandChannel: UInt8, Sendable {
    case input = 0
    case output = 1
    case error = 2
    /// From the client what is to be run, first of all; from the platform how it ended, last of all. JSON.
    case status = 3
    case resize = 4
    case signal = 5
    /// How many more bytes of input may be sent, as decimal text.
    case credit = 6
    /// Followed by the channel that ends.
    case close = 255
}

/// The WebSocket subprotocol of all this (RFC 6455 section 1.9).
package let commandProtocol = "v1.command.moorage"

/// Bounds that both ends keep to.
package enum CommandBounds {
    /// Bytes of one message.
    package static let message = 64 << 10
    /// Bytes of input that may be under way, unread by the command.
    package static let window = 256 << 10
    /// Bytes of input or output in one message.
    package static let piece = 16 << 10
}

/// What is to be run.
package struct CommandStart: Codable, Sendable, Equatable {
    package var command: [String]
    package var environment: [String: String]
    /// For a command in a fresh container: like which process. For one in a replica: its name.
    package var target: String?
    package var terminal: TerminalSize?
    /// Whether input will follow.
    package var hasInput: Bool

    package init(command: [String], environment: [String: String], target: String?, terminal: TerminalSize?, hasInput: Bool) {
        self.command = command
        self.environment = environment
        self.target = target
        self.terminal = terminal
        self.hasInput = hasInput
    }
}

/// How it ended.
package struct CommandStatus: Codable, Sendable, Equatable {
    package struct Failure: Codable, Sendable, Equatable {
        package var code: String
        package var message: String
        package var hint: String?
    }

    /// nil where it could not be run or seen to its end.
    package var exitCode: Int?
    package var reason: String?
    package var error: Failure?

    package init(_ end: CommandEnd) {
        exitCode = end.exitCode
        reason = end.reason
    }

    package init(_ failure: MoorError) {
        error = Failure(code: failure.code.rawValue, message: failure.message, hint: failure.hint)
    }

    package var failure: MoorError? {
        error.map { MoorError(MoorError.Code(rawValue: $0.code) ?? .internalError, $0.message, hint: $0.hint) }
    }
}

/// From the client.
package enum ClientFrame: Sendable, Equatable {
    case start(CommandStart)
    case input(ByteBuffer)
    case endOfInput
    case control(CommandControl)
}

/// From the platform.
package enum ServerFrame: Sendable, Equatable {
    case output(CommandStream, ByteBuffer)
    case credit(Int)
    case status(CommandStatus)
}

extension ClientFrame {
    /// - Throws: `invalid` for what no client of ours sends.
    package init(_ message: ByteBuffer) throws(MoorError) {
        var rest = message
        switch rest.readInteger(as: UInt8.self).flatMap(CommandChannel.init) {
        case .input: self = .input(rest)
        case .status: self = .start(try rest.json(CommandStart.self))
        case .resize:
            let size = try rest.json(TerminalSize.self)
            guard (1...10_000).contains(size.columns), (1...10_000).contains(size.rows) else { throw .malformedFrame }
            self = .control(.resize(size))
        case .signal:
            guard let signal = CommandSignal(rawValue: String(buffer: rest)) else { throw .malformedFrame }
            self = .control(.signal(signal))
        case .close where rest.readableBytesView.elementsEqual([CommandChannel.input.rawValue]): self = .endOfInput
        case .output, .error, .credit, .close, nil: throw .malformedFrame
        }
    }

    package var message: ByteBuffer {
        switch self {
        case .start(let start): .command(.status, json: start)
        case .input(let bytes): .command(.input, bytes)
        case .endOfInput: .command(.close, ByteBuffer(bytes: [CommandChannel.input.rawValue]))
        case .control(.resize(let size)): .command(.resize, json: size)
        case .control(.signal(let signal)): .command(.signal, ByteBuffer(string: signal.rawValue))
        }
    }
}

extension ServerFrame {
    /// - Throws: `invalid` for what no platform of ours sends.
    package init(_ message: ByteBuffer) throws(MoorError) {
        var rest = message
        switch rest.readInteger(as: UInt8.self).flatMap(CommandChannel.init) {
        case .output: self = .output(.output, rest)
        case .error: self = .output(.error, rest)
        case .status: self = .status(try rest.json(CommandStatus.self))
        case .credit:
            guard let count = Int(String(buffer: rest)), (1...CommandBounds.window).contains(count) else { throw .malformedFrame }
            self = .credit(count)
        case .input, .resize, .signal, .close, nil: throw .malformedFrame
        }
    }

    package var message: ByteBuffer {
        switch self {
        case .output(.output, let bytes): .command(.output, bytes)
        case .output(.error, let bytes): .command(.error, bytes)
        case .credit(let count): .command(.credit, ByteBuffer(string: String(count)))
        case .status(let status): .command(.status, json: status)
        }
    }
}

extension MoorError {
    fileprivate static let malformedFrame = MoorError(
        .invalid, "a message of the other side is not understood", hint: "use the same version")
}

extension ByteBuffer {
    fileprivate static func command(_ channel: CommandChannel, _ content: ByteBuffer) -> ByteBuffer {
        var message = ByteBuffer()
        message.reserveCapacity(content.readableBytes + 1)
        message.writeInteger(channel.rawValue)
        message.writeImmutableBuffer(content)
        return message
    }

    fileprivate static func command(_ channel: CommandChannel, json: some Encodable) -> ByteBuffer {
        // Strings, numbers and dictionaries of them: nothing that JSON cannot hold.
        command(channel, (try? JSONEncoder().encodeAsByteBuffer(json, allocator: ByteBufferAllocator())) ?? ByteBuffer())
    }

    fileprivate func json<T: Decodable>(_ type: T.Type) throws(MoorError) -> T {
        do { return try JSONDecoder().decode(type, from: self) } catch { throw .malformedFrame }
    }
}
