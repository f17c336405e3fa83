import Crypto
import CryptoExtras
import Foundation

/// What one scrypt derivation costs (RFC 7914 section 2): memory is 128 · rounds · blockSize bytes.
package struct PasswordCost: Sendable, Hashable {
    /// N, a power of two.
    package var rounds: Int
    /// r.
    package var blockSize: Int
    /// p.
    package var parallelism: Int

    package init(rounds: Int, blockSize: Int, parallelism: Int) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// 32 MiB and some 100 ms of one core.
    package static let standard = PasswordCost(rounds: 1 << 15, blockSize: 8, parallelism: 1)

    /// Refuses what a damaged or foreign row could ask of the machine.
    var isSane: Bool {
        (2...1 << 20).contains(rounds) && rounds.nonzeroBitCount == 1 && (1...32).contains(blockSize) && (1...16).contains(parallelism)
    }
}

/// A password as it is stored: "scrypt$N$r$p$salt$hash", salt and hash in base64url.
struct PasswordHash: Sendable, Hashable {
    var cost: PasswordCost
    var salt: Data
    var key: Data

    init(cost: PasswordCost, salt: Data, key: Data) {
        self.cost = cost
        self.salt = salt
        self.key = key
    }

    init?(encoded: String) {
        let parts = encoded.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "scrypt", let n = Int(parts[1]), let r = Int(parts[2]), let p = Int(parts[3]),
            let salt = Data(base64URL: parts[4]), let key = Data(base64URL: parts[5]), salt.count >= 8, key.count == 32
        else { return nil }
        self.init(cost: PasswordCost(rounds: n, blockSize: r, parallelism: p), salt: salt, key: key)
        guard cost.isSane else { return nil }
    }

    var encoded: String {
        "scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(salt.base64URL)$\(key.base64URL)"
    }

    static func randomSalt() -> Data {
        var generator = SystemRandomNumberGenerator()
        return Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    /// One derivation. The password is taken as its UTF-8 bytes in Unicode's canonical composition, because keyboards
    /// differ in which form they send.
    static func derive(_ password: String, salt: Data, cost: PasswordCost) throws -> Data {
        // An empty passphrase has no address to hand to BoringSSL; nobody's password is a single zero byte.
        let bytes = password.isEmpty ? [0] : Array(password.precomposedStringWithCanonicalMapping.utf8)
        let key = try KDF.Scrypt.deriveKey(
            from: bytes, salt: salt, outputByteCount: 32, rounds: cost.rounds, blockSize: cost.blockSize, parallelism: cost.parallelism)
        // The bytes are copied out while the key still owns them.
        return unsafe key.withUnsafeBytes { unsafe Data($0) }
    }
}
