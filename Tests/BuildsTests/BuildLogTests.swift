import Foundation
import Models
import TestSupport
import Testing

@testable import Builds

struct `The build log` {
    @Test func `is readable while it is written, and bounded`() async throws {
        try await withScratchFolder { folder in
            let path = folder.appending(path: "logs/1.log").path
            let log = try BuildLog(path: path, limit: 1000)
            await log.write("first", isOutput: false)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "first\n")
            for number in 1...1000 { await log.write("line \(number)", isOutput: true) }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.utf8.count < 1100)
            #expect(text.hasSuffix("(the log ends here: it reached 0 KiB)\n"))
            #expect(await log.tail == (981...1000).map { "line \($0)" }, "an error's last lines are known all the same")
            await log.close()
        }
    }

    @Test(arguments: [
        ("a\tb\u{1B}[31mred\u{1B}[0m\u{7}", "a\tbred"),
        ("Fetching https://ada:hunter2@example.com/simple/ now", "Fetching https://***@example.com/simple/ now"),
        ("https://token@a.example/x and ftp://b.example/u@v", "https://***@a.example/x and ftp://b.example/u@v"),
        (
            "write https://${USER}:${TOKEN}@a.example/ or https://${TOKEN}@b/",
            "write https://${USER}:${TOKEN}@a.example/ or https://${TOKEN}@b/"
        ),
        ("https://${A}:hunter2@x/ https://${A}:${B}hunter2@x/ https://${A}hunter2}@x/", "https://***@x/ https://***@x/ https://***@x/"),
        ("abc\u{202E}def", "abcdef"),
        ("ünïcode ✓", "ünïcode ✓"),
    ])
    func `holds no control characters and no passwords`(_ line: String, _ clean: String) {
        #expect(LogLines.clean(line) == clean)
    }

    @Test func `gets whole lines from pieces`() {
        var lines = LogLines()
        #expect(lines.read(Array("one\ntw".utf8)) == ["one"])
        #expect(lines.read(Array("o\r\n\n10%\r20%\rdone".utf8)) == ["two", "10%", "20%"])
        #expect(lines.finish() == "done")
        #expect(lines.finish() == nil)
        #expect(lines.read([UInt8](repeating: 0x61, count: 10_000)).map(\.count) == [4096, 4096])
    }
}

struct `Debian sources of the host` {
    @Test func `are those of the archive, not of others`() {
        let deb822 = """
            Types: deb
            URIs: http://mirror.example.com/debian
            Suites: bookworm bookworm-updates bookworm-backports
            Components: main contrib
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

            Types: deb deb-src
            URIs: http://mirror.example.com/debian-security
            Suites: bookworm-security
            Components: main

            Types: deb
            URIs: https://third.example.com/linux
            Suites: bookworm
            Components: main
            """
        let expected = [
            "deb http://mirror.example.com/debian bookworm main", "deb http://mirror.example.com/debian bookworm-updates main",
            "deb http://mirror.example.com/debian-security bookworm-security main",
        ]
        #expect(AptSources.deb822(deb822, "bookworm") == expected)
        let list = """
            # deb http://old.example.com/debian bookworm main
            deb [arch=amd64 signed-by=/x] http://mirror.example.com/debian bookworm main non-free
            deb-src http://mirror.example.com/debian bookworm main
            deb https://third.example.com/apt bookworm main
            """
        #expect(AptSources.oneLine(list, "bookworm") == ["deb http://mirror.example.com/debian bookworm main"])
    }
}
