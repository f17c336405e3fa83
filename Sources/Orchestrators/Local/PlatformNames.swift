import Models

/// The labels on everything of ours in the engine.
enum Label {
    static let platform = "moor.platform"
    static let app = "moor.app"
    static let appName = "moor.app-name"
    static let release = "moor.release"
    static let releaseNumber = "moor.release-number"
    static let process = "moor.process"
    static let ordinal = "moor.ordinal"
    static let replica = "moor.replica"
    /// A digest of what the container was made from, so that a changed specification is told from an equal one.
    static let spec = "moor.spec"
    /// Names of the GPUs it was given, separated by commas.
    static let devices = "moor.devices"
    /// On the networks of builds: the slot.
    static let builds = "moor.builds"
    /// On containers of commands, which have no row: who has such a label is some command's.
    static let oneOff = "moor.one-off"
    /// What is listed of a command that nobody waits for, as JSON.
    static let detached = "moor.detached"
}

/// The names of what is ours on the host and in the engine, told from every other platform's by a tag.
struct PlatformNames: Sendable, Hashable {
    /// Five letters and digits from the platform's id: an interface name has room for 15 bytes in all (Linux IFNAMSIZ).
    let tag: String

    init(platformID: String) {
        let text = String(stableHash(platformID.utf8) % 60_466_176, radix: 36)
        tag = String(repeating: "0", count: 5 - text.count) + text
    }

    /// Begins the name of every bridge of this platform.
    var bridgePrefix: String { "mr\(tag)" }
    func bridge(_ appID: AppID) -> String { bridgePrefix + String(String(appID.rawValue, radix: 36).suffix(8)) }
    func network(_ appID: AppID) -> String { "moor-\(tag)-\(appID)" }
    /// A hyphen, which no app's bridge has there.
    func bridge(builds slot: Int) -> String { FirewallRules.buildsPrefix(bridgePrefix) + "\(slot)" }
    func network(builds slot: Int) -> String { "moor-\(tag)-builds-\(slot)" }
    func container(oneOff key: String) -> String { "moor-\(tag)-\(key)" }
    func container(_ app: AppName, _ replica: Replica) -> String {
        "moor-\(tag)-\(app).\(replica.slot.process).\(replica.slot.ordinal).\(replica.id)"
    }
}

/// FNV-1a of 64 bits: equal on every host and in every process, unlike `Hasher`.
func stableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
