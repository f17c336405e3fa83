import NIOCore
import Testing

@testable import Engine

struct UpgradeAnswerTests {
    private static let refused =
        "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{\"message\":\"no such x\"}"

    @Test(arguments: [1, 2, 7, 1000], ["101 UPGRADED", "200 OK"])
    func `what stands behind an agreeing head is the other protocol's, however the bytes are cut`(piece: Int, status: String) throws {
        var answer = UpgradeAnswer()
        var rest = Array("HTTP/1.1 \(status)\r\nConnection: Upgrade\r\n\r\n\u{1}\r\n\r\nrest".utf8)[...]
        var behind = ByteBuffer()
        while !rest.isEmpty {
            behind.writeImmutableBuffer(try answer.feed(ByteBuffer(bytes: rest.prefix(piece))))
            rest = rest.dropFirst(piece)
        }
        #expect(answer.isOpen)
        #expect(behind == ByteBuffer(string: "\u{1}\r\n\r\nrest"))
    }

    @Test(arguments: [1, 5, 1000])
    func `a refusal is told once it is whole`(piece: Int) {
        var answer = UpgradeAnswer()
        var rest = Array(Self.refused.utf8)[...]
        var refusal: EngineClient.Refusal?
        while !rest.isEmpty, refusal == nil {
            do { _ = try answer.feed(ByteBuffer(bytes: rest.prefix(piece))) } catch { refusal = error as? EngineClient.Refusal }
            rest = rest.dropFirst(piece)
        }
        #expect(!answer.isOpen)
        #expect(rest.isEmpty)
        #expect(refusal?.status == 409)
        #expect(refusal?.message == "no such x")
    }

    @Test func `a head without an end is not gathered for ever`() {
        var answer = UpgradeAnswer()
        #expect(throws: (any Error).self) {
            for _ in 0..<100 { _ = try answer.feed(ByteBuffer(repeating: 0x41, count: 1024)) }
        }
    }
}
