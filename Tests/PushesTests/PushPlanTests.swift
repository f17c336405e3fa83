import Models
import Testing

@testable import Pushes

struct PushPlanTests {
    private static let a = String(repeating: "a", count: 40)
    private static let b = String(repeating: "b", count: 40)
    private static func update(_ ref: String, old: String? = nil, new: String? = a) -> RefUpdate { RefUpdate(old: old, new: new, ref: ref) }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var branch: String?
        var refs: [String]
        var deploys: String?
    }

    @Test(arguments: [
        Case(testDescription: "main first", branch: nil, refs: ["refs/heads/main"], deploys: "refs/heads/main"),
        Case(testDescription: "master first", branch: nil, refs: ["refs/heads/master"], deploys: "refs/heads/master"),
        Case(testDescription: "both at once", branch: nil, refs: ["refs/heads/master", "refs/heads/main"], deploys: "refs/heads/main"),
        Case(
            testDescription: "master is the one", branch: "master", refs: ["refs/heads/main", "refs/heads/master"],
            deploys: "refs/heads/master"),
        Case(testDescription: "main when master is the one", branch: "master", refs: ["refs/heads/main"], deploys: nil),
        Case(testDescription: "neither", branch: nil, refs: ["refs/heads/trunk", "refs/tags/main"], deploys: nil),
    ])
    func `only the deploy branch deploys`(_ example: Case) throws {
        let plan = try PushPlan(example.refs.map { Self.update($0) }, deployBranch: example.branch)
        #expect(plan.deploy?.ref == example.deploys)
        #expect(plan.notes.filter { $0.hasPrefix("kept") }.count == example.refs.count - (example.deploys == nil ? 0 : 1))
    }

    @Test func `deleting the deploy branch is refused, another one is removed`() throws {
        #expect(throws: MoorError.self) {
            try PushPlan([Self.update("refs/heads/main", old: Self.a, new: nil)], deployBranch: "main")
        }
        let plan = try PushPlan([Self.update("refs/heads/main", old: Self.a, new: nil)], deployBranch: "master")
        #expect(plan.notes == ["removed: branch main"])
    }

    @Test func `a thousand refs are told in a few lines`() throws {
        let plan = try PushPlan((0..<1000).map { Self.update("refs/tags/v\($0)") }, deployBranch: "main")
        #expect(plan.notes.count == 22)
    }

    @Test func `a hook's request is read when it is whole`() throws {
        let update = "\(String(repeating: "0", count: 40)) \(Self.b) refs/heads/ma in"
        let text = Array("moor-hook 1\n7-ab\n/x/objects/tmp_objdir-incoming-1\n\(update)\n\n".utf8)
        for length in 0..<text.count { #expect(try HookMessage.request(from: Array(text.prefix(length))) == nil) }
        let request = try #require(try HookMessage.request(from: text))
        #expect(request.token == "7-ab")
        #expect(request.quarantine == "tmp_objdir-incoming-1")
        #expect(request.updates == [RefUpdate(old: nil, new: Self.b, ref: "refs/heads/ma in")])
    }

    @Test func `a hook tells the push's options`() throws {
        let text = "moor-hook 1\n7-ab\n-\nO canary=10%\nO \n\(Self.a) \(Self.b) refs/heads/main\n\n"
        let request = try #require(try HookMessage.request(from: Array(text.utf8)))
        #expect(request.options == ["canary=10%", ""] && request.updates.count == 1)
    }

    @Test(arguments: [("canary=10%", 10), ("canary=99", 99), ("canary=0", nil), ("canary=100%", nil), ("ci.skip", nil), ("", nil)])
    func `a push option says what share a canary gets, and nothing else`(_ option: String, _ percent: Int?) throws {
        let options = try? PushOptions([option])
        #expect(options?.canaryPercent == percent)
        #expect(try PushOptions([]).canaryPercent == nil)
    }

    @Test(arguments: ["hello\n\n", "moor-hook 1\nt\n-\nnot an update\n\n", "moor-hook 2\nt\n-\n\n"])
    func `a hook's request that is none is refused`(text: String) {
        #expect(throws: HookMessage.Malformed.self) { try HookMessage.request(from: Array(text.utf8)) }
    }

    @Test func `a line for the terminal stays one line`() {
        #expect(HookMessage.line("a\r\nV accept\u{0}\tb") == "L aV accept\tb\n")
    }

    @Test func `a hook's secret is good once and cannot be guessed from another`() {
        let secrets = PushSecrets()
        let principal = Principal(userID: UserID(1), username: "ada", role: .admin, means: .password)
        let session = PushSession(appID: AppID(1), app: AppName(rawValue: "sales")!, pusher: principal)
        let (first, token) = secrets.issue(session)
        let (second, other) = secrets.issue(session)
        #expect(secrets.redeem("\(first)-\(other.split(separator: "-")[1])") == nil)
        #expect(secrets.redeem("\(first)-") == nil)
        #expect(secrets.redeem(token) === session)
        #expect(secrets.redeem(token) == nil)
        secrets.withdraw(second)
        #expect(secrets.redeem(other) == nil)
    }

    @Test(arguments: [("version=2", true), ("version=2:other=x", true), ("version=2; rm", false), ("", false), ("a\nb", false)])
    func `only a plain protocol field reaches git's environment`(field: String, isPassed: Bool) {
        #expect((PushService.protocolVersion(field) == field) == isPassed)
    }

    @Test func `a gzip stream inflates whatever way it is cut, and damage is noticed`() async throws {
        // printf 'moorage moorage moorage\n' | gzip -n
        let gzip: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0xcd, 0xcf, 0x2f, 0x4a, 0x4c, 0x4f, 0x55, 0xc8, 0x45, 0xa5,
            0xb9, 0x00, 0x16, 0xbd, 0x4d, 0x07, 0x18, 0x00, 0x00, 0x00,
        ]
        for cut in [1, 5, gzip.count] {
            var inflater = try Inflater()
            var output: [UInt8] = []
            for start in stride(from: 0, to: gzip.count, by: cut) {
                try await inflater.inflate(Array(gzip[start..<min(start + cut, gzip.count)])) { output += $0 }
            }
            try inflater.finish()
            #expect(output == Array("moorage moorage moorage\n".utf8))
        }
        var truncated = try Inflater()
        try await truncated.inflate(Array(gzip.dropLast(9))) { _ in }
        #expect(throws: Inflater.Malformed.self) { try truncated.finish() }
        var inflater = try Inflater()
        await #expect(throws: Inflater.Malformed.self) { try await inflater.inflate(Array("not gzip at all".utf8)) { _ in } }
    }
}
