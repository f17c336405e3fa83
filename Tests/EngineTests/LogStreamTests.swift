import NIOCore
import Testing

@testable import Engine

struct LogStreamTests {
    private func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
        let count = UInt32(text.utf8.count)
        return [stream, 0, 0, 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + Array(text.utf8)
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `frames give the same lines however the bytes are cut`(piece: Int) {
        let bytes = frame(1, "one\ntw") + frame(2, "err") + frame(1, "o\n") + frame(2, "or\r\nlast") + frame(1, "")
        var decoder = LogFrameDecoder()
        var lines: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            lines += decoder.feed(ByteBuffer(bytes: rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        lines += decoder.finish()
        #expect(lines == ["one", "two", "error", "last"])
    }

    @Test func `a line without end is given in bounded pieces`() {
        var splitter = LineSplitter()
        let lines = splitter.feed(repeatElement(0x61, count: LineSplitter.longest * 2 + 5))
        #expect(lines.map(\.count) == [LineSplitter.longest, LineSplitter.longest])
        #expect(splitter.finish() == "aaaaa")
    }

    @Test func `what is not UTF-8 is repaired`() {
        var splitter = LineSplitter()
        #expect(splitter.feed([0x61, 0xFF, 0x62, 0x0A]) == ["a\u{FFFD}b"])
    }
}
