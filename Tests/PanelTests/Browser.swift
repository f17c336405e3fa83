import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import Logging
import Models
import NIOCore
import NIOEmbedded
import Panel
import Store
import TestSupport

@testable import Accounts

/// The whole panel over real accounts and a real database.
struct Site {
    var store: DataStore
    var accounts: AccountService
    var operations: RecordedOperations
    var responder: RouterResponder<BasicRequestContext>

    /// The web folder of this checkout.
    static let webFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "web").path

    /// One key for all tests: making one takes longer than most of them.
    private static let key = Result { try SigningKey.newPEM() }

    static func run<T>(_ body: (Site) async throws -> T) async throws -> T {
        try await withScratchFolder { folder in
            let store = try DataStore(path: folder.appending(path: "moor.sqlite").path)
            let keys = folder.appending(path: "keys")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            try Data(key.get().utf8).write(to: keys.appending(path: SigningKey.fileName))
            let accounts = try await AccountService(
                store: store,
                configuration: AccountsConfiguration(
                    keyFolder: keys.path, issuer: "http://localhost:8080",
                    passwordCost: PasswordCost(rounds: 16, blockSize: 8, parallelism: 1)),
                viewersChanged: {}, logger: Logger(label: "test"))
            let operations = RecordedOperations(store: store)
            let panel = try PanelController(
                store: store, accounts: accounts, operations: operations,
                configuration: PanelConfiguration(
                    panelURL: "http://localhost:8080", appURL: { "http://\($0).localhost:8080" },
                    appForHost: { $0.hasSuffix(".localhost") ? AppName(rawValue: String($0.dropLast(".localhost".count))) : nil },
                    webFolder: webFolder, secureCookies: false),
                logger: Logger(label: "test"))
            let router = Router<BasicRequestContext>()
            panel.addRoutes(to: router)
            return try await body(Site(store: store, accounts: accounts, operations: operations, responder: router.buildResponder()))
        }
    }

    /// A user whose password is "correct horse".
    @discardableResult
    func addUser(_ username: String, role: PlatformRole = .developer) async throws -> Principal {
        try await accounts.addUser(
            UserSummary(username: username, name: "", email: "", role: role, groups: []), password: "correct horse")
        return try await accounts.principal(username: username, password: "correct horse", address: "127.0.0.1")
    }

    func makeApp(_ name: String, owner: Principal, access: AccessMode = .signedIn) async throws -> AppRecord {
        try await store.write { db in
            var app = AppRecord(name: try AppName(validating: name), ownerID: owner.userID, access: access, createdAt: now())
            try app.insert(db)
            return app
        }
    }
}

/// As much of a browser as the sign-in needs: cookies by host and path, forms, one request at a time.
struct Browser {
    struct Page {
        var status: Int
        var headers: HTTPFields
        var text: String
        var location: String? { headers[.location] }
    }

    let site: Site
    /// By host, then name.
    private(set) var cookies: [String: [String: (value: String, path: String)]] = [:]
    /// Added to each request.
    var extra: HTTPFields = [.init("X-Forwarded-For")!: "192.0.2.1"]

    init(_ site: Site) { self.site = site }

    /// The parts of a `Set-Cookie` line, whose attributes stand in any order.
    static func parts(_ line: String?) -> Set<String> {
        Set((line ?? "").split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) })
    }

    func cookie(_ name: String, at host: String = "localhost:8080") -> String? { cookies[host]?[name]?.value }
    mutating func setCookie(_ name: String, _ value: String, at host: String = "localhost:8080") {
        cookies[host, default: [:]][name] = (value, "/")
    }

    mutating func get(_ url: String) async throws -> Page { try await send(url, .get, nil) }

    /// Sends the form as the page's own script-free form would.
    mutating func post(_ url: String, _ form: [String: String], origin: String? = nil) async throws -> Page {
        let body = form.map { "\(Self.encode($0.key))=\(Self.encode($0.value))" }.joined(separator: "&")
        let before = extra
        defer { extra = before }
        if let origin { extra[.init("Origin")!] = origin }
        return try await send(url, .post, body)
    }

    /// The token in the first form of a page.
    static func token(in text: String) -> String {
        guard let start = text.firstRange(of: #"name="form-token" value=""#) else { return "" }
        return String(text[start.upperBound...].prefix { $0 != "\"" })
    }

    mutating func signIn(_ username: String, next: String = "/") async throws -> Page {
        let page = try await get("/sign-in?next=\(Self.encode(next))")
        return try await post(
            "/sign-in", ["username": username, "password": "correct horse", "next": next, "form-token": Self.token(in: page.text)])
    }

    static func encode(_ text: String) -> String { text.addingPercentEncoding(withAllowedCharacters: .alphanumerics)! }

    private mutating func send(_ url: String, _ method: HTTPRequest.Method, _ body: String?) async throws -> Page {
        let absolute = url.hasPrefix("http://") ? String(url.dropFirst("http://".count)) : "localhost:8080" + url
        let host = String(absolute.prefix { $0 != "/" })
        let target = String(absolute.dropFirst(host.count))
        let path = String(target.prefix { $0 != "?" })
        var headers = extra
        let sent = (cookies[host] ?? [:]).filter { path.hasPrefix($0.value.path) }.map { "\($0.key)=\($0.value.value)" }
        if !sent.isEmpty { headers[.cookie] = sent.joined(separator: "; ") }
        if body != nil { headers[.contentType] = "application/x-www-form-urlencoded" }
        let request = Request(
            head: .init(method: method, scheme: "http", authority: host, path: target, headerFields: headers),
            body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
        let context = BasicRequestContext(source: .init(channel: NIOAsyncTestingChannel(), logger: Logger(label: "test")))
        let response = try await site.responder.respond(to: request, context: context)
        for line in response.headers[values: .setCookie] { keep(line, host) }
        let collector = Collector()
        try await response.body.write(collector)
        return Page(status: response.status.code, headers: response.headers, text: await collector.text.value)
    }

    private mutating func keep(_ line: String, _ host: String) {
        let parts = line.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        let pair = parts[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let path = parts.first { $0.hasPrefix("Path=") }.map { String($0.dropFirst("Path=".count)) } ?? "/"
        cookies[host, default: [:]][pair[0]] = parts.contains("Max-Age=0") ? nil : (pair[1], path)
    }
}

/// Takes a response's body in memory.
private struct Collector: ResponseBodyWriter {
    actor Text {
        var value = ""
        func add(_ text: String) { value += text }
    }

    let text = Text()
    func write(_ buffer: ByteBuffer) async throws { await text.add(String(buffer: buffer)) }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
