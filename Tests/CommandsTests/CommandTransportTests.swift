import Commands
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

struct CommandTransportTests {
    private func channel(isClient: Bool = false) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: CommandTransport(isClient: isClient))
        try channel.connect(to: .init(unixDomainSocketPath: "/x")).wait()
        return channel
    }

    @Test func `messages are binary frames, masked by the client alone`() throws {
        for isClient in [true, false] {
            let channel = try channel(isClient: isClient)
            try channel.writeOutbound(ByteBuffer(string: "hi"))
            let frame = try #require(try channel.readOutbound(as: WebSocketFrame.self))
            #expect(frame.opcode == .binary)
            #expect((frame.maskKey != nil) == isClient)
            var masked = WebSocketFrame(fin: true, opcode: .binary, data: ByteBuffer(string: "ho"))
            if !isClient {
                masked.maskKey = [1, 2, 3, 4]
                masked.data.webSocketMask([1, 2, 3, 4])
            }
            try channel.writeInbound(masked)
            #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "ho"))
        }
    }

    @Test func `a ping is answered, a pong is not, text ends it`() throws {
        let channel = try channel()
        try channel.writeInbound(WebSocketFrame(fin: true, opcode: .ping, data: ByteBuffer(string: "x")))
        #expect(try channel.readOutbound(as: WebSocketFrame.self)?.opcode == .pong)
        try channel.writeInbound(WebSocketFrame(fin: true, opcode: .pong, data: ByteBuffer()))
        #expect(try channel.readOutbound(as: WebSocketFrame.self) == nil)
        #expect(throws: CommandTransport.Failure.noBinaryMessage) {
            try channel.writeInbound(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: "x")))
        }
        #expect(try channel.readOutbound(as: WebSocketFrame.self)?.opcode == .connectionClose)
        #expect(!channel.isActive)
    }

    @Test func `a side that is waited for and says nothing is hung up on`() throws {
        let channel = try channel()
        channel.read()
        for _ in 0..<3 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(15))
            #expect(try channel.readOutbound(as: WebSocketFrame.self)?.opcode == .pong, "a sign of life of our own")
        }
        #expect(channel.isActive)
        try channel.writeInbound(WebSocketFrame(fin: true, opcode: .pong, data: ByteBuffer()))
        channel.read()
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive)
        #expect(throws: CommandTransport.Failure.silent) { try channel.throwIfErrorCaught() }
    }

    @Test func `a side that is not read from may be silent`() throws {
        let channel = try channel()
        channel.read()
        try channel.writeInbound(WebSocketFrame(fin: true, opcode: .binary, data: ByteBuffer(string: "x")))
        channel.embeddedEventLoop.advanceTime(by: .seconds(600))
        #expect(channel.isActive)
    }
}
