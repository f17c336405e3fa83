import Commands
import Models
import NIOCore
import TestSupport
import Testing

struct CommandFrameTests {
    private static let start = CommandStart(
        command: ["python", "-c", "print('é')"], environment: ["A": "b=c"], target: "web", terminal: .init(columns: 80, rows: 24),
        hasInput: true)

    @Test(
        arguments: [
            .start(start), .input(ByteBuffer(bytes: [0, 255, 10])), .input(ByteBuffer()), .endOfInput,
            .control(.resize(.init(columns: 1, rows: 10_000))), .control(.signal(.interrupt)), .control(.signal(.hangUp)),
        ] as [ClientFrame])
    func `what a client says comes out as it went in`(_ frame: ClientFrame) throws {
        #expect(try ClientFrame(frame.message) == frame)
    }

    @Test(
        arguments: [
            .output(.output, ByteBuffer(bytes: [0, 255])), .output(.error, ByteBuffer(string: "no")), .credit(1),
            .credit(CommandBounds.window),
            .status(CommandStatus(CommandEnd(exitCode: 137, reason: "was killed"))),
            .status(CommandStatus(MoorError(.unavailable, "stopping", hint: "again"))),
        ] as [ServerFrame])
    func `what the platform says comes out as it went in`(_ frame: ServerFrame) throws {
        #expect(try ServerFrame(frame.message) == frame)
    }

    @Test(
        arguments: [
            [], [1, 2], [2], [9], [3], [3, 0x7B], [4] + Array(#"{"columns":0,"rows":5}"#.utf8), [4] + Array(#"{"columns":80}"#.utf8),
            [4] + Array(#"{"columns":80,"rows":99999}"#.utf8), [5] + Array("STOP".utf8), [5], [6, 0x31], [255], [255, 1], [255, 0, 0],
        ] as [[UInt8]])
    func `a client's message that means nothing is refused`(_ bytes: [UInt8]) {
        #expect(throws: MoorError.self) { _ = try ClientFrame(ByteBuffer(bytes: bytes)) }
    }

    @Test(arguments: [[], [0, 1], [3, 0x5B], [4], [6], [6, 0x30], [6, 0x2D, 0x31], [6] + Array("262145".utf8), [255, 0]] as [[UInt8]])
    func `a platform's message that means nothing is refused`(_ bytes: [UInt8]) {
        #expect(throws: MoorError.self) { _ = try ServerFrame(ByteBuffer(bytes: bytes)) }
    }

    @Test func `input is held up to the window and no further, and credit is what was taken`() async {
        let window = InputWindow(window: 40_000)
        #expect(window.put([UInt8](repeating: 1, count: 40_000)))
        #expect(!window.put([2]))
        let first = await window.next()
        #expect(first?.count == CommandBounds.piece)
        #expect(window.put([UInt8](repeating: 3, count: CommandBounds.piece)))
        #expect(!window.put([4]))
        window.end()
        #expect(!window.put([]), "nothing comes after the end")
        var left = 0
        while let piece = await window.next() { left += piece.count }
        #expect(left == 40_000)
    }

    @Test func `a reader of input is woken by bytes, by the end, and by its own cancellation`() async {
        let window = InputWindow()
        async let byte = window.next()
        #expect(window.put([7]))
        #expect(await byte == [7])
        let cancelled = Task { await window.next() }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        async let last = window.next()
        window.end()
        #expect(await last == nil)
        window.abandon()
        #expect(await window.next() == nil)
    }
}
