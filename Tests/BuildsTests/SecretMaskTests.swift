import Foundation
import Models
import TestSupport
import Testing

@testable import Builds

struct `Values of build config in what a build says` {
    static let value = "s3cr/t +Wörd=="

    @Test(arguments: [
        value, "before\(value)after", "\(value)\(value)", "https://ada:s3cr%2Ft%20%2BW%C3%B6rd%3D%3D@example.com/",
        "q=s3cr%2ft+%2bW%c3%b6rd%3d%3d", "path s3cr/t%20%2BW%C3%B6rd%3D%3D",
        "Basic " + Data("ada:\(value)".utf8).base64EncodedString(), Data("x\(value)".utf8).base64EncodedString(),
        Data(value.utf8).base64EncodedString(),
        Data("--\(value)--".utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_"),
    ])
    func `are dots in every disguise that tools use`(line: String) {
        let said = SecretMask([Self.value]).masked(line)
        #expect(said.contains("••••"))
        for piece in ["s3cr", "W%C3", "Wörd"] { #expect(!said.contains(piece)) }
        // Eight characters of Base64 would tell six of the value.
        for offset in 0..<3 {
            let core = Array(
                Data([UInt8](repeating: 0, count: offset) + Array(Self.value.utf8)).base64EncodedString().dropFirst(4).dropLast(4))
            for start in 0...(core.count - 8) { #expect(!said.contains(String(core[start..<start + 8]))) }
        }
    }

    @Test func `cover each other's overlaps`() {
        let mask = SecretMask(["abcd", "cdef"])
        #expect(mask.masked("xabcdefx") == "x••••x")
        #expect(SecretMask(["aaaa"]).masked("aaaaaab") == "••••b")
    }

    @Test func `of less than four characters are left`() {
        let mask = SecretMask(["abc", "", "\n"])
        #expect(mask.isEmpty)
        #expect(mask.masked("abc") == "abc")
    }

    @Test func `of several lines are found line by line`() {
        let mask = SecretMask(["-----BEGIN KEY-----\nMIIEvQIBADAN\n-----END KEY-----\n"])
        #expect(mask.masked("  MIIEvQIBADAN") == "  ••••")
    }

    @Test(arguments: [1, 2, 7, 4096]) func `are found across chunks and where a long line is broken`(chunk: Int) {
        let secret = "correct-horse-battery-staple"
        for lead in 4070...4100 {
            var lines = LogLines(mask: SecretMask([secret, "orse"]))
            let bytes = Array((String(repeating: "x", count: lead) + secret + String(repeating: "y", count: 5000) + "\n").utf8)
            var said: [String] = []
            for start in stride(from: 0, to: bytes.count, by: chunk) { said += lines.read(bytes[start..<min(start + chunk, bytes.count)]) }
            let whole = said.joined()
            #expect(whole == String(repeating: "x", count: lead) + "••••" + String(repeating: "y", count: 5000))
        }
    }

    @Test func `that overlap themselves are found where a long line is broken`() {
        for lead in 4090...4096 {
            var lines = LogLines(mask: SecretMask(["abab"]))
            let bytes = Array((String(repeating: "x", count: lead) + "abababababab" + String(repeating: "y", count: 9000)).utf8)
            let whole = lines.read(bytes).joined() + (lines.finish() ?? "")
            #expect(!whole.contains("a") && !whole.contains("b"))
            #expect(whole.contains("••••"))
        }
    }

    @Test func `with escapes for terminals within are found`() async throws {
        try await withScratchFolder { folder in
            let mask = SecretMask(["hunter22"])
            let kept = try BuildLog(path: folder.appending(path: "1.log").path, limit: 1000)
            let heard = Heard()
            let voice = BuildVoice(kept: kept, log: heard.log, mask: mask)
            var lines = LogLines(mask: mask)
            for line in lines.read(Array("hun\u{1B}[1mter22\n".utf8)) { await voice.output(line) }
            await voice.say("the token hunter22")
            #expect(await heard.lines == ["  ••••", "the token ••••"])
            let error = voice.masked(MoorError(.appFailed, "a hunter22", hint: "b hunter22", detail: ["c hunter22"]))
            #expect(!error.description.contains("hunter22"))
            await kept.close()
        }
    }
}
