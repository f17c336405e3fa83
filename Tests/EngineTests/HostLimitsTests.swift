import Testing

@testable import Engine

struct HostLimitsTests {
    @Test(arguments: [
        ("29 28 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n", HostLimits.CgroupLayout.v2),
        ("30 28 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", .v1),
        (
            "30 28 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n31 28 0:28 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n",
            .hybrid
        ),
        ("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", .v2),
    ])
    func `the cgroup layout is read from the mounts`(mounts: String, layout: HostLimits.CgroupLayout) {
        #expect(HostLimits.layout(ofMounts: mounts) == layout)
    }

    @Test func `ulimits never exceed the host's`() {
        let small = HostLimits(openFiles: 1024, processes: 500, cgroups: .v2, capabilities: 0, isRoot: true)
        #expect(small.containerUlimits == [.init(name: "nofile", soft: 1024, hard: 1024), .init(name: "nproc", soft: 500, hard: 500)])
        let large = HostLimits(openFiles: .max, processes: .max, cgroups: .v2, capabilities: 0, isRoot: true)
        #expect(large.containerUlimits.allSatisfy { $0.hard < 1 << 30 })
    }

    @Test func `capabilities are read from the effective mask`() {
        let limits = HostLimits(
            openFiles: 1, processes: 1, cgroups: .v2,
            capabilities: HostLimits.capabilities(inStatus: "Name:\tx\nCapEff:\t000001fffeffffff\n"),
            isRoot: true)
        #expect(!limits.hasSysResource)
        #expect(limits.hasNetAdmin)
    }

    @Test func `this host's limits can be read`() {
        let limits = HostLimits.read()
        #expect(limits.openFiles > 0)
        #expect(limits.processes > 0)
    }
}
