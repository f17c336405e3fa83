import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Models
import Store

/// Who asks, and for which app.
struct GitAccess: Sendable {
    var appID: AppID
    var app: AppName
    var principal: Principal
}

extension PushService {
    /// Lets a request through or says why not. An app that the user may not touch looks like one that does not exist.
    /// - Parameter mayCreate: whether a push to a name that is free creates the app.
    func authorize(_ request: Request, app: String, service: GitService, mayCreate: Bool) async throws(MoorError) -> GitAccess {
        let principal = try await principal(of: request)
        guard service == .receivePack || AppName(rawValue: app) != nil else { throw Self.notFound(app, service) }
        let name = try AppName(validating: app)
        let (known, isAllowed) = try await store.read { db -> (AppRecord?, Bool) in
            guard let record = try AppRecord.named(name, db) else { return (nil, false) }
            return (record, try AppRecord.allows(service.action, principal, record, db))
        }
        if let appID = known?.id, isAllowed {
            try await prepareRepository(for: appID, name: name)
            return GitAccess(appID: appID, app: name, principal: principal)
        }
        // Browsers say where a request comes from, git does not: a page must not create apps with a browser's credentials.
        let isBrowser = request.headers[HTTPField.Name("Sec-Fetch-Site")!] != nil
        guard known == nil, service == .receivePack, mayCreate, !isBrowser, AppPolicy.mayCreateApps(principal) else {
            throw Self.notFound(app, service)
        }
        let appID = try await operations.createApp(named: app, owner: principal)
        try await prepareRepository(for: appID, name: name)
        logger.info("app created by a push", metadata: ["app": "\(name)", "user": "\(principal.username)"])
        return GitAccess(appID: appID, app: name, principal: principal)
    }

    private static func notFound(_ app: String, _ service: GitService) -> MoorError {
        let shown = app.prefix(60).filter { !$0.isNewline }
        return switch service {
        case .uploadPack: MoorError(.notFound, "there is no app “\(shown)” that you may fetch", hint: "moor apps lists yours")
        case .receivePack:
            MoorError(
                .notFound, "there is no app “\(shown)” that you may push to",
                hint: "choose another name, or ask the app's owner to add you as a collaborator")
        }
    }

    /// Basic (RFC 7617), as git asks for it, or a bearer token (RFC 6750), as `http.extraHeader` may give it.
    private func principal(of request: Request) async throws(MoorError) -> Principal {
        let missing = MoorError(.unauthenticated, "sign in with your user name and a password or token")
        guard let field = request.headers[.authorization] else { throw missing }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw missing }
        let address = Self.address(of: request)
        switch parts[0].lowercased() {
        case "basic":
            guard let data = Data(base64Encoded: String(parts[1])), let text = String(validating: data, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else { throw missing }
            return try await authenticator.principal(
                username: String(text[..<colon]), password: String(text[text.index(after: colon)...]), address: address)
        case "bearer":
            return try await authenticator.principal(bearer: String(parts[1]), address: address)
        default: throw missing
        }
    }

    /// The client's address as the gateway, the only one that reaches this listener, wrote it last.
    private static func address(of request: Request) -> String {
        let field = request.headers[HTTPField.Name("X-Forwarded-For")!] ?? ""
        return field.split(separator: ",").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }
}
