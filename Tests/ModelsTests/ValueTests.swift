import Foundation
import Models
import Synchronization
import Testing

@Suite struct ValueTests {
    @Test(arguments: [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
    func `an endpoint is written as a URL's authority`(host: String, text: String) {
        #expect(Endpoint(host: host, port: 80).description == text)
    }

    @Test func `an identifier is a bare number in JSON`() throws {
        #expect(try String(decoding: JSONEncoder().encode([AppID(7)]), as: UTF8.self) == "[7]")
        #expect(try JSONDecoder().decode([AppID].self, from: Data("[7]".utf8)) == [AppID(7)])
    }

    @Test func `a formation survives its row`() throws {
        let formation: Formation = [
            ProcessSpec(name: "web", command: "gunicorn app:server", replicas: 2, health: HealthCheck(path: "/up", timeoutSeconds: 5)),
            ProcessSpec(name: "release", command: "migrate"),
        ]
        #expect(try JSONDecoder().decode(Formation.self, from: JSONEncoder().encode(formation)) == formation)
        let checks = [
            HealthCheck(path: "/up", timeoutSeconds: 5), HealthCheck(probe: .tcp, intervalSeconds: 1),
            HealthCheck(probe: .command("x"), failureThreshold: 2, restartAfterSeconds: 0),
        ]
        #expect(try JSONDecoder().decode([HealthCheck].self, from: JSONEncoder().encode(checks)) == checks)
        // A release that was made before there was more to say; its replicas must not look changed.
        let old = #"{"path":"\/up","timeoutSeconds":5}"#
        #expect(try JSONDecoder().decode(HealthCheck.self, from: Data(old.utf8)) == checks[0])
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(try String(decoding: encoder.encode(checks[0]), as: UTF8.self) == old)
        let resources = #"{"cpuMillis":1000,"memoryBytes":1073741824,"pids":512}"#
        #expect(try String(decoding: encoder.encode(Resources()), as: UTF8.self) == resources)
        #expect(try JSONDecoder().decode(Resources.self, from: Data(resources.utf8)) == Resources())
        #expect(formation.map(\.isWeb) == [true, false] && formation.map(\.isReleaseCommand) == [false, true])
    }

    @Test func `every replica state has its word`() {
        let states: [ReplicaStatus.State] = [
            .starting, .ready, .backingOff(exitCode: 1, reason: "x", retryAfterSeconds: 1),
            .crashLooping(exitCode: 1, reason: "x", retryAfterSeconds: 1), .unhealthy(reason: "x"), .stopping, .pending(reason: "x"),
        ]
        #expect(states.map(\.word) == ["starting", "ready", "backing-off", "crash-looping", "unhealthy", "stopping", "pending"])
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1 << 20, "1 MiB"), (1_288_490_188, "1.1 GiB"), (5 << 29, "2.5 GiB"), (3 << 40, "3 TiB"),
    ])
    func `bytes are written as people read them`(bytes: Int64, text: String) { #expect(Quantity.text(bytes: bytes) == text) }

    @Test(arguments: [(1000, "1 core"), (500, "0.5 cores"), (2000, "2 cores"), (1250, "1.25 cores"), (50, "0.05 cores"), (0, "0 cores")])
    func `cores are written as people read them`(millis: Int, text: String) { #expect(Quantity.text(millis: millis) == text) }

    @Test func `a teed log writes each line to both, in order`() async {
        let lines = Mutex<[String]>([])
        func log(_ name: String) -> DeployLog {
            DeployLog { line in lines.withLock { $0.append("\(name) \(line)") } }
        }
        let both = log("a").tee(log("b"))
        await both.line("1")
        await both.line("2")
        #expect(lines.withLock { $0 } == ["a 1", "b 1", "a 2", "b 2"])
    }
}
