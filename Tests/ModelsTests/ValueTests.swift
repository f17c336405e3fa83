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
        #expect(formation.map(\.isWeb) == [true, false] && formation.map(\.isReleaseCommand) == [false, true])
    }

    @Test func `every replica state has the word that its row may hold`() {
        let states: [ReplicaStatus.State] = [
            .starting, .ready, .backingOff(exitCode: 1, reason: "x", retryAfterSeconds: 1), .unhealthy(reason: "x"), .stopping,
        ]
        #expect(states.map(\.word) == ["starting", "ready", "backing-off", "unhealthy", "stopping"])
    }

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
