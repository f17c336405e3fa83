import Models
import Testing

@testable import Orchestrators

private let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
private func row(_ local: String, state: String = "0A") -> String {
    "   0: \(local) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000 10001        0 103401 1 0 100 0 0 10 0\n"
}

struct ReasonTests {
    @Test(arguments: [
        ("", "nothing listens on $PORT (5000)"),
        (row("00000000:1F72"), "nothing listens on $PORT (5000); the process listens on 8050"),
        (row("0100007F:1388"), "nothing listens on $PORT (5000); the process listens on 127.0.0.1:5000 only; bind 0.0.0.0"),
        (row("0100007F:1F72"), "nothing listens on $PORT (5000); the process listens on 8050 (on 127.0.0.1 only; bind 0.0.0.0)"),
        (row("00000000:1F72") + row("00000000:1F90"), "nothing listens on $PORT (5000); the process listens on 8050 and 8080"),
        // Not the resolver of the engine, not a connection.
        (row("0B00007F:A123") + row("00000000:1F72", state: "01"), "nothing listens on $PORT (5000)"),
        (row("00000000000000000000000000000000:1F72"), "nothing listens on $PORT (5000); the process listens on 8050"),
        (
            row("00000000000000000000000001000000:1388"),
            "nothing listens on $PORT (5000); the process listens on 127.0.0.1:5000 only; bind 0.0.0.0"
        ),
        (
            row("0000000000000000FFFF00000100007F:1388"),
            "nothing listens on $PORT (5000); the process listens on 127.0.0.1:5000 only; bind 0.0.0.0"
        ),
    ])
    func `what listens is named`(table: String, reason: String) {
        let listeners = Listener.parse(head + table)
        #expect(unhealthyReason(check: HealthCheck(), outcome: .refused, listeners: listeners) == reason)
    }

    @Test func `an answer of 500 is named with its path`() {
        let reason = unhealthyReason(check: HealthCheck(path: "/up"), outcome: .answered(status: 503), listeners: [])
        #expect(reason == "answers 503 on /up")
    }

    @Test(arguments: [
        (1, false, "exited with code 1"), (127, false, "its command was not found (exit code 127)"),
        (137, false, "was killed by signal 9 (exit code 137)"), (137, true, "ran out of memory: it used all of its 512 MiB"),
        (0, false, "ended by itself (exit code 0)"),
    ])
    func `an end is explained`(code: Int, outOfMemory: Bool, reason: String) {
        #expect(exitReason(code: code, outOfMemory: outOfMemory, resources: Resources(memoryBytes: 512 << 20)) == reason)
    }

    @Test(arguments: [(536_866_816, "all of its 512 MiB"), (300 << 20, "300 MiB, its cap is 512 MiB")])
    func `a kill for memory tells the peak`(peak: Int64, said: String) {
        let reason = exitReason(code: 137, outOfMemory: true, peak: peak, resources: Resources(memoryBytes: 512 << 20))
        #expect(reason == "ran out of memory: it used \(said)")
    }
}

struct KernelLogTests {
    @Test func `only a kill for memory of that container counts`() {
        let record =
            "6,1,1,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/libpod_parent/libpod-abc,task=tail,pid=1,uid=10001"
        #expect(KernelLog.isOutOfMemory(record, of: "abc"))
        #expect(!KernelLog.isOutOfMemory(record, of: "def"))
        #expect(!KernelLog.isOutOfMemory("6,1,1,-;libpod-abc: something else", of: "abc"))
        var search = KernelLog.Search(containerID: "abc")
        for line in ["6,1,1,-;memory: usage 16384kB, limit 16384kB, failcnt 0", "6,1,1,-;Tasks state", record.replacing("abc", with: "x")] {
            search.read(line)
        }
        #expect(search.found == nil)
        for line in ["6,1,1,-;memory: usage 32768kB, limit 32768kB, failcnt 3", record] { search.read(line) }
        #expect(search.found == .init(peak: 32 << 20))
    }
}

struct ShellCommandTests {
    @Test(arguments: [
        ("gunicorn app:server --bind 0.0.0.0:$PORT", "exec gunicorn app:server --bind 0.0.0.0:$PORT"),
        ("  python3 -m 'my app' > /tmp/log", "exec python3 -m 'my app' > /tmp/log"),
        ("./start.sh", "exec ./start.sh"),
        ("cd src && python app.py", "cd src && python app.py"),
        ("cd src", "cd src"),
        ("DEBUG=1 python app.py", "DEBUG=1 python app.py"),
        ("exec python app.py", "exec python app.py"),
        ("a | b", "a | b"), ("a; b", "a; b"), ("a &", "a &"), ("$CMD run", "$CMD run"), ("", ""),
        ("while true; do x; done", "while true; do x; done"), ("(a)", "(a)"), ("\"my app\" x", "\"my app\" x"),
    ])
    func `only a simple command takes the shell's place`(command: String, given: String) {
        #expect(ShellCommand.replacingShell(command) == given)
    }
}

struct UserTests {
    @Test(arguments: [
        ("", "10001:10001"), ("0", "10001:10001"), ("root", "10001:10001"), ("0:0", "10001:10001"), ("root:root", "10001:10001"),
        ("00:5", "10001:10001"), ("app", "app"), ("1000", "1000"), ("1000:1000", "1000:1000"),
    ])
    func `nothing runs as root`(image: String, user: String) {
        #expect(LocalOrchestrator.user(image) == user)
    }
}
