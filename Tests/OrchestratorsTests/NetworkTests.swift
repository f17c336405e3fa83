import Models
import Testing

@testable import Orchestrators

struct SubnetTests {
    @Test(arguments: [
        ("10.1.2.0/24", true), ("10.1.2.0", false), ("10.1.2.0/33", false), ("10.1.256.0/24", false), ("a/8", false), ("::/0", false),
    ])
    func `CIDR notation`(text: String, isValid: Bool) {
        #expect((Subnet(text) != nil) == isValid)
    }

    @Test func `a free network overlaps nothing that is taken`() throws {
        let pool = try #require(Subnet("10.212.0.0/22"))
        var taken = [try #require(Subnet("10.212.1.0/24")), try #require(Subnet("10.212.2.128/25"))]
        for _ in 0..<2 {
            let subnet = try #require(Subnet.free(in: pool, seed: 1, taken: taken))
            #expect(!taken.contains(where: subnet.overlaps))
            #expect(pool.overlaps(subnet))
            taken.append(subnet)
        }
        #expect(Subnet.free(in: pool, seed: 1, taken: taken) == nil)
    }

    @Test func `routes are read from the kernel's table`() {
        let table = """
            Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
            eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
            eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
            mr1\t0005D40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
            """
        #expect(Subnet.routes(table).map { "\($0.interface) \($0.subnet)" } == ["eth0 192.0.2.0/24", "mr1 10.212.5.0/24"])
    }
}

struct NameTests {
    @Test func `interface names fit and two platforms differ`() {
        let names = PlatformNames(platformID: "one")
        #expect(names.bridge(AppID(Int64.max)).utf8.count <= 15)
        #expect(names.tag.count == 5)
        #expect(names.tag != PlatformNames(platformID: "two").tag)
        #expect(names.tag == PlatformNames(platformID: "one").tag)
    }
}

struct FirewallRulesTests {
    @Test func `an app reaches the inside listener and names, and nothing else`() {
        var rules = FirewallRules(prefix: "mrabcde", insidePort: 7911)
        rules.networks = [2: .init(bridge: "mrabcde2", gateway: "10.0.2.1"), 1: .init(bridge: "mrabcde1", gateway: "10.0.1.1")]
        let lines = rules.restore4.split(separator: "\n")
        #expect(lines.first == "*mangle")
        #expect(lines.last == "COMMIT")
        #expect(lines.contains("-A MOOR-mrabcde-IN -i mrabcde1 -d 10.0.1.1/32 -p tcp --dport 7911 -j RETURN"))
        #expect(lines.last { $0.hasPrefix("-A MOOR-mrabcde-IN") } == "-A MOOR-mrabcde-IN -j DROP")
        #expect(lines.contains("-A MOOR-mrabcde-FWD -o mrabcde+ -j DROP"))
    }
}

struct DesiredTests {
    private func set(_ count: Int, environment: [String: String] = ["A": "1"], replicas: Int = 1) -> ReplicaSet {
        ReplicaSet(
            releaseID: 7, releaseNumber: 3, process: ProcessSpec(name: "web", command: "x", replicas: replicas), count: count, image: "i",
            environment: environment)
    }

    @Test func `a set has as many slots as its count`() throws {
        let desired = Desired(Workload(appID: 1, app: try AppName(validating: "sales"), sets: [set(3)]))
        #expect(desired.slots.keys.map(\.ordinal).sorted() == [1, 2, 3])
        #expect(Desired(Workload(appID: 1, app: try AppName(validating: "sales"), sets: [set(0)])).slots.isEmpty)
    }

    @Test func `the digest changes with what a container is made from and with nothing else`() {
        #expect(Desired.digest(of: set(1)) == Desired.digest(of: set(5, replicas: 9)))
        #expect(Desired.digest(of: set(1)) != Desired.digest(of: set(1, environment: ["A": "2"])))
        let many = Dictionary(uniqueKeysWithValues: (0..<50).map { ("K\($0)", "v") })
        #expect(Desired.digest(of: set(1, environment: many)) == Desired.digest(of: set(1, environment: many)))
    }
}

struct TailTests {
    @Test func `last words are bounded in lines, length and replicas`() {
        var keeper = TailKeeper()
        keeper.keep((0..<500).map { "line \($0)" } + [String(repeating: "x", count: 5000)], of: 1)
        #expect(keeper.lines(of: 1).count == Tail.limit)
        #expect(keeper.lines(of: 1).last?.count == 2001)
        for id in 2...Int64(TailKeeper.limit + 1) { keeper.keep(["x"], of: ReplicaID(id)) }
        #expect(keeper.lines(of: 1).isEmpty)
        #expect(keeper.lines(of: 2) == ["x"])
    }
}
