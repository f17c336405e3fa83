import Models
import TestSupport
import Testing

@testable import Accounts

@Suite struct SignInLimiterTests {
    /// One wrong try after another, each as soon as it is admitted.
    private func waits(_ tries: Int, limits: SignInLimiter.Limits = .init()) -> [Double] {
        var limiter = SignInLimiter(limits: limits)
        var now = 1_000.0
        return (0..<tries).map { _ in
            let wait = limiter.wait(account: "ada", address: "192.0.2.1", now: now) ?? 0
            now += wait
            #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: now) == nil)
            return wait
        }
    }

    @Test func `after five wrong tries each further one waits twice as long`() {
        #expect(waits(10) == [0, 0, 0, 0, 0, 5, 10, 20, 40, 80])
    }

    @Test func `the wait has an upper bound`() {
        #expect(waits(20).last == 900)
    }

    @Test func `a refused try is not counted`() {
        var limiter = SignInLimiter()
        for _ in 0..<5 { _ = limiter.admit(account: "ada", address: "192.0.2.1", now: 0) }
        for _ in 0..<50 { #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 1) == 4) }
        #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 5) == nil)
    }

    @Test func `a stranger's wrong tries delay nobody at another address`() {
        var limiter = SignInLimiter()
        for second in 0..<200 { _ = limiter.admit(account: "ada", address: "203.0.113.66", now: Double(second)) }
        #expect(limiter.wait(account: "ada", address: "203.0.113.66", now: 200) != nil)
        #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 200) == nil)
    }

    @Test func `a right password clears the account at that address`() {
        var limiter = SignInLimiter()
        for _ in 0..<4 { _ = limiter.admit(account: "ada", address: "192.0.2.1", now: 0) }
        #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 0) == nil)
        limiter.succeeded(account: "ada", address: "192.0.2.1")
        for _ in 0..<5 { #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 0) == nil) }
    }

    @Test func `an address that tries many accounts is stopped for the rest of its window`() {
        var limiter = SignInLimiter()
        for account in 0..<100 { #expect(limiter.admit(account: "user\(account)", address: "192.0.2.1", now: 0) == nil) }
        #expect(limiter.admit(account: "another", address: "192.0.2.1", now: 60) == 540)
        #expect(limiter.admit(account: "another", address: "192.0.2.2", now: 60) == nil)
        #expect(limiter.admit(account: "another", address: "192.0.2.1", now: 601) == nil)
    }

    @Test func `a try that came to no answer does not count`() {
        var limiter = SignInLimiter()
        for _ in 0..<50 {
            #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 0) == nil)
            limiter.withdrawn(account: "ada", address: "192.0.2.1")
        }
    }

    @Test func `a quiet hour is forgotten`() {
        var limiter = SignInLimiter()
        for _ in 0..<5 { _ = limiter.admit(account: "ada", address: "192.0.2.1", now: 0) }
        for _ in 0..<5 { #expect(limiter.admit(account: "ada", address: "192.0.2.1", now: 3_601) == nil) }
    }

    @Test func `a clock that is set back lengthens no wait`() {
        var limiter = SignInLimiter()
        for _ in 0..<5 { _ = limiter.admit(account: "ada", address: "192.0.2.1", now: 1_000_000) }
        #expect(limiter.wait(account: "ada", address: "192.0.2.1", now: 0) ?? 0 <= 900)
    }

    @Test func `what is held is bounded`() {
        var limits = SignInLimiter.Limits()
        limits.capacity = 100
        var limiter = SignInLimiter(limits: limits)
        for index in 0..<5_000 {
            _ = limiter.admit(account: "user\(index)", address: "10.0.\(index / 250).\(index % 250)", now: Double(index))
        }
        #expect(limiter.size <= 100)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"), ("2001:db8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
        ("fe80::1%eth0", "fe80:0:0:0::/64"), ("", ""),
    ])
    func `one host's IPv6 addresses count as one`(address: String, network: String) {
        #expect(SignInLimiter.network(of: address) == network)
    }

    @Test func `the service answers 429 with how long to wait, and lets the owner in elsewhere`() async throws {
        try await Harness.run { harness in
            try await harness.addUser("grace")
            for _ in 0..<5 {
                _ = await errorCode { try await harness.service.principal(username: "Grace", password: "guess", address: "203.0.113.66") }
            }
            let refusal = await refused {
                try await harness.service.principal(username: "grace", password: "correct horse", address: "203.0.113.66")
            }
            #expect(refusal?.code == .rateLimited)
            #expect(refusal?.hint == "wait 5 seconds, then try again")
            _ = try await harness.service.principal(username: "grace", password: "correct horse", address: "192.0.2.1")
        }
    }
}
