import Foundation
import Models
import Testing

@testable import moor

struct TerminalTests {
    private var table: Table {
        var table = Table("NAME", "STATE", "WHAT")
        table.add(.init("web.1", .bold), .init("ready", .green), "a")
        table.add("worker.10", .init("unhealthy", .red), "nothing listens on $PORT (5000); the process listens on 8050")
        return table
    }

    @Test func `columns line up`() {
        #expect(
            table.lines(width: nil, colour: false) == [
                "NAME       STATE      WHAT",
                "web.1      ready      a",
                "worker.10  unhealthy  nothing listens on $PORT (5000); the process listens on 8050",
            ])
    }

    @Test(arguments: [40, 60, 79])
    func `a table fits the terminal`(_ width: Int) {
        let lines = table.lines(width: width, colour: false)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines[2].hasPrefix("worker.10  unhealthy  nothing"))
        #expect(lines[2].hasSuffix("…"))
    }

    @Test func `colour does not count as width`() {
        let plain = table.lines(width: 40, colour: false)
        let coloured = table.lines(width: 40, colour: true)
        #expect(coloured[1].contains("\u{1B}[32mready\u{1B}[0m"))
        #expect(coloured.map { $0.replacing(/\u{1B}\[\d+m/, with: "").trimmingCharacters(in: .whitespaces) } == plain)
    }

    @Test func `what people name things does not steer the terminal`() {
        var table = Table("WHAT")
        table.add(.init("a\u{1B}]0;x\u{7}\nb"))
        #expect(table.lines(width: nil, colour: false) == ["WHAT", "a ]0;x  b"])
    }

    @Test(arguments: [
        (0, "just now"), (-4, "just now"), (5, "5 seconds ago"), (59, "59 seconds ago"), (60, "1 minute ago"), (180, "3 minutes ago"),
        (3_599, "59 minutes ago"), (7_200, "2 hours ago"), (86_400, "1 day ago"), (30 * 86_400, "30 days ago"),
        (31 * 86_400, "1969-12-01"), (-80 * 60, "in 1 hour"), (-3 * 86_400 + 1, "in 3 days"),
    ])
    func `times are told as people tell them`(_ secondsAgo: Int, _ text: String) {
        let now = Date(timeIntervalSince1970: 0)
        #expect(now.addingTimeInterval(TimeInterval(-secondsAgo)).relative(to: now) == text)
    }

    @Test(arguments: [
        ("secret\n", "secret"), ("sec\u{7F}cret\r", "secret"), ("é\u{7F}e\n", "e"), ("wrong\u{15}right\n", "right"), ("a\tb\u{1}\n", "ab"),
        ("\u{7F}\u{7F}a\n", "a"),
    ])
    func `a typed line can be corrected`(_ typed: String, _ text: String) {
        var line = TypedLine()
        var last = TypedLine.Outcome.more
        for byte in typed.utf8 { last = line.type(byte) }
        #expect(last == .done)
        #expect(line.text == text)
    }

    @Test func `Ctrl-C and an empty Ctrl-D end the question`() {
        var line = TypedLine()
        #expect(line.type(0x03) == .interrupted)
        #expect(line.type(0x04) == .interrupted)
    }

    @Test func `bytes are cut into lines wherever they were cut before`() throws {
        let bytes = Array("one\n\ntwé\nthree".utf8)
        for size in 1...bytes.count {
            var splitter = LineSplitter()
            var lines: [Data] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += try splitter.feed(bytes[start..<min(start + size, bytes.count)])
            }
            lines += [splitter.finish()].compactMap { $0 }
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["one", "", "twé", "three"])
        }
    }

    @Test func `a line without an end is refused`() {
        var splitter = LineSplitter()
        #expect(throws: MoorError.self) { try splitter.feed(repeatElement(UInt8(ascii: "x"), count: LineSplitter.limit + 1)) }
    }
}
