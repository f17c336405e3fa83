/// Slows down guessing, without letting anybody lock others out: failures count per account *and* address, so a
/// stranger's wrong tries never delay the account's owner elsewhere. A wide cap per address stops one machine from
/// trying many accounts. Pure; times are seconds since 1970.
package struct SignInLimiter: Sendable {
    package struct Limits: Sendable, Hashable {
        /// Wrong tries without a delay.
        package var freeFailures = 5
        /// Seconds after the first failure beyond those; each further one doubles it.
        package var firstDelay = 5.0
        package var longestDelay = 900.0
        /// Wrong tries of one address, over all accounts, within `window` seconds.
        package var addressFailures = 100
        package var window = 600.0
        /// Seconds after which a quiet account and address is forgotten.
        package var memory = 3_600.0
        /// Accounts-and-addresses, and addresses, held at most.
        package var capacity = 10_000

        package init() {}
    }

    private struct Key: Hashable {
        var account: String
        var address: String
    }

    private struct Failures {
        var count = 0
        var notBefore = 0.0
        var last = 0.0
    }

    let limits: Limits
    private var accounts: [Key: Failures] = [:]
    private var addresses: [String: Failures] = [:]

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// How many pairs and addresses are held.
    var size: Int { max(accounts.count, addresses.count) }

    /// Seconds to wait before a try would be admitted; nil where it would be now.
    func wait(account: String, address: String, now: Double) -> Double? {
        let address = Self.network(of: address)
        var wait = 0.0
        if let failures = accounts[Key(account: account, address: address)] { wait = failures.notBefore - now }
        if let failures = addresses[address], failures.count >= limits.addressFailures {
            wait = max(wait, failures.last + limits.window - now)
        }
        // The bound guards against a clock that was set back.
        return wait > 0 ? min(wait, max(limits.longestDelay, limits.window)) : nil
    }

    /// Counts a try as failed before it is known to be, so that tries sent side by side cannot slip through.
    /// - Returns: seconds to wait where the try is refused (and not counted); nil where it may go on.
    mutating func admit(account: String, address: String, now: Double) -> Double? {
        if let wait = wait(account: account, address: address, now: now) { return wait }
        let address = Self.network(of: address)
        let key = Key(account: account, address: address)
        makeRoom(now: now)

        var pair = accounts[key] ?? Failures()
        if now - pair.last > limits.memory { pair = Failures() }
        pair.count += 1
        pair.last = now
        let beyond = pair.count - limits.freeFailures
        if beyond >= 0 { pair.notBefore = now + min(limits.longestDelay, limits.firstDelay * Double(1 << min(beyond, 30))) }
        accounts[key] = pair

        var whole = addresses[address] ?? Failures()
        if now - whole.notBefore > limits.window { whole = Failures(notBefore: now) }
        whole.count += 1
        whole.last = whole.notBefore
        addresses[address] = whole
        return nil
    }

    /// The admitted try was right after all: the pair is forgotten, and the try is not held against the address.
    mutating func succeeded(account: String, address: String) {
        let address = Self.network(of: address)
        accounts[Key(account: account, address: address)] = nil
        forgive(address)
    }

    /// The admitted try came to no answer (the platform was too busy): it does not count.
    mutating func withdrawn(account: String, address: String) {
        let address = Self.network(of: address)
        let key = Key(account: account, address: address)
        if var pair = accounts[key] {
            pair.count -= 1
            pair.notBefore = 0
            accounts[key] = pair.count > 0 ? pair : nil
        }
        forgive(address)
    }

    private mutating func forgive(_ address: String) {
        guard var whole = addresses[address] else { return }
        whole.count -= 1
        addresses[address] = whole.count > 0 ? whole : nil
    }

    /// Drops what has lapsed, and where that is not enough the quietest quarter.
    private mutating func makeRoom(now: Double) {
        if accounts.count >= limits.capacity {
            accounts = accounts.filter { now - $0.value.last <= limits.memory }
            Self.dropQuietest(&accounts, limit: limits.capacity, by: \.last)
        }
        if addresses.count >= limits.capacity {
            addresses = addresses.filter { now - $0.value.last <= limits.window }
            Self.dropQuietest(&addresses, limit: limits.capacity, by: \.last)
        }
    }

    private static func dropQuietest<K>(_ table: inout [K: Failures], limit: Int, by path: KeyPath<Failures, Double>) {
        guard table.count >= limit else { return }
        for (key, _) in table.sorted(by: { $0.value[keyPath: path] < $1.value[keyPath: path] }).prefix(max(1, limit / 4)) {
            table[key] = nil
        }
    }

    /// What counts as one address: IPv4 as it is (also where mapped into IPv6), IPv6 by its first 64 bits, of which one
    /// host may use all the rest.
    static func network(of address: String) -> String {
        let bare = address.prefix { $0 != "%" }.lowercased()
        guard bare.contains(":") else { return bare }
        if let last = bare.split(separator: ":").last, last.contains(".") { return String(last) }
        let halves = bare.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false).map {
            $0.split(separator: ":").map { UInt16($0, radix: 16) ?? 0 }
        }
        var groups = halves[0]
        if halves.count == 2 {
            groups += Array(repeating: 0, count: max(0, 8 - groups.count - halves[1].count)) + halves[1]
        }
        return groups.prefix(4).map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }
}
