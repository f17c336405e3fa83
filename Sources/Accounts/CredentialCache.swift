import Crypto
import Foundation
import Models

/// Which user name and password were found right within the last minute, so that a git push of many requests costs one
/// scrypt. Credentials are held only as an HMAC under a key of this process.
struct CredentialCache: Sendable {
    private struct Entry {
        var userID: UserID
        var expiresAt: Double
    }

    private let key = SymmetricKey(size: .bits256)
    private var entries: [Data: Entry] = [:]
    /// Raised by `void`, so that a check begun before a password changed is not remembered after it.
    private(set) var generation = 0
    private let capacity = 1_000
    private let lifetime = 60.0

    func user(username: String, password: String, now: Double) -> UserID? {
        guard let entry = entries[mark(username, password)], entry.expiresAt > now else { return nil }
        return entry.userID
    }

    mutating func remember(_ userID: UserID, username: String, password: String, now: Double, generation: Int) {
        guard generation == self.generation else { return }
        if entries.count >= capacity { entries = entries.filter { $0.value.expiresAt > now } }
        if entries.count >= capacity { entries.removeAll() }
        entries[mark(username, password)] = Entry(userID: userID, expiresAt: now + lifetime)
    }

    mutating func void() {
        generation += 1
        entries.removeAll()
    }

    private func mark(_ username: String, _ password: String) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: Data("\(username.utf8.count):\(username)\(password)".utf8), using: key))
    }
}
