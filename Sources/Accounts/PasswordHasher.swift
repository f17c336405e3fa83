import Foundation
import Models

/// Runs scrypt away from the concurrency pool, at most two at a time, with a bounded line in front.
actor PasswordHasher {
    struct Verification: Sendable {
        var matches: Bool
        /// The same password hashed at today's cost, where the stored hash was made at another.
        var rehashed: String?
    }

    let cost: PasswordCost
    /// Derivations done so far; what the tests count instead of measuring time.
    private(set) var derivations = 0
    private let queue: OperationQueue
    private let decoy: PasswordHash
    private var waiting = 0
    private let waitingLimit = 64

    init(cost: PasswordCost) {
        self.cost = cost
        queue = OperationQueue()
        queue.name = "moor.passwords"
        queue.maxConcurrentOperationCount = 2
        decoy = PasswordHash(cost: cost, salt: PasswordHash.randomSalt(), key: PasswordHash.randomSalt() + PasswordHash.randomSalt())
    }

    /// - Throws: `unavailable` where too many are waiting already.
    func hash(_ password: String) async throws(MoorError) -> String {
        let salt = PasswordHash.randomSalt()
        return PasswordHash(cost: cost, salt: salt, key: try await derive(password, salt: salt, cost: cost)).encoded
    }

    /// Does one derivation whether or not there is anything to compare with, so that the time of an answer does not say
    /// whether the user exists.
    func verify(_ password: String, against encoded: String?) async throws(MoorError) -> Verification {
        let stored = encoded.flatMap(PasswordHash.init(encoded:))
        let target = stored ?? decoy
        let key = try await derive(password, salt: target.salt, cost: target.cost)
        let matches = Secret.equal(key, target.key) && stored != nil
        guard matches, target.cost != cost else { return Verification(matches: matches) }
        return Verification(matches: true, rehashed: try await hash(password))
    }

    private func derive(_ password: String, salt: Data, cost: PasswordCost) async throws(MoorError) -> Data {
        guard waiting < waitingLimit else {
            throw MoorError(.unavailable, "too many people are signing in at this moment", hint: "try again in a few seconds")
        }
        waiting += 1
        derivations += 1
        defer { waiting -= 1 }
        let result: Result<Data, any Error> = await withCheckedContinuation { continuation in
            queue.addOperation {
                continuation.resume(returning: Result { try PasswordHash.derive(password, salt: salt, cost: cost) })
            }
        }
        do { return try result.get() } catch { throw .wrapping(error, "the password could not be checked") }
    }
}
