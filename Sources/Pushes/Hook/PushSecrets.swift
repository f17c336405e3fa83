import Synchronization

/// The secrets by which a hook shows which push it belongs to: 256 random bits, in the hook's environment alone, good once.
final class PushSecrets: Sendable {
    private struct State {
        var lastNumber: UInt64 = 0
        var open: [UInt64: (secret: [UInt8], session: PushSession)] = [:]
    }

    private let state = Mutex(State())

    /// A token for the session; withdraw it when the push has ended.
    func issue(_ session: PushSession) -> (number: UInt64, token: String) {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<4).map { _ in Self.hex(generator.next()) }.joined()
        let number = state.withLock { state in
            state.lastNumber += 1
            state.open[state.lastNumber] = (Array(secret.utf8), session)
            return state.lastNumber
        }
        return (number, "\(number)-\(secret)")
    }

    func withdraw(_ number: UInt64) { state.withLock { _ = $0.open.removeValue(forKey: number) } }

    /// The session that the token was issued for; nil for a wrong, used or withdrawn one. A wrong guess uses nothing up.
    func redeem(_ token: String) -> PushSession? {
        let parts = token.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let number = UInt64(parts[0]) else { return nil }
        return state.withLock { state in
            guard let entry = state.open[number], Self.equal(entry.secret, Array(parts[1].utf8)) else { return nil }
            state.open[number] = nil
            return entry.session
        }
    }

    /// Takes the same time wherever the two differ.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for (x, y) in zip(a, b) { difference |= x ^ y }
        return difference == 0
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
