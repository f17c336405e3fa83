import HTTPTypes
import Hummingbird
import Models

/// One run of git for one request.
struct GitCommand: Sendable {
    var service: GitService
    var arguments: [String]
    var environment: [String: String]
    var repository: String
    var protocolVersion: String?
    /// Of a push; nil for everything else.
    var push: OpenPush?

    struct OpenPush: Sendable {
        var session: PushSession
        /// Of its secret.
        var number: UInt64
    }
}

extension PushService {
    func command(_ service: GitService, for access: GitAccess, request: Request, isAdvertisement: Bool) throws(MoorError) -> GitCommand {
        let path = repositories.path(of: access.appID)
        var push: GitCommand.OpenPush?
        var hook: [String: String] = [:]
        if service == .receivePack, !isAdvertisement {
            let session = PushSession(appID: access.appID, app: access.app, pusher: access.principal)
            let (number, token) = secrets.issue(session)
            push = GitCommand.OpenPush(session: session, number: number)
            repositories.beginReceiving(access.appID)
            hook = [HookMessage.socketVariable: configuration.hookSocket, HookMessage.tokenVariable: token]
        }
        let version = Self.protocolVersion(request.headers[HTTPField.Name("Git-Protocol")!])
        return GitCommand(
            service: service,
            arguments: [service.command, "--stateless-rpc"] + (isAdvertisement ? ["--http-backend-info-refs"] : []) + [path],
            environment: GitSettings.environment(configuration, repository: path, protocolVersion: version, hook: hook),
            repository: path, protocolVersion: version, push: push)
    }

    /// The Git-Protocol field where it is one (gitprotocol-v2(5), "HTTP Transport"): colon-separated keys and values.
    static func protocolVersion(_ field: String?) -> String? {
        guard let field, field.utf8.count <= 128 else { return nil }
        let isPlain = field.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x3A) || (byte >= 0x61 && byte <= 0x7A) || byte == 0x3D || byte == 0x2D || byte == 0x2E
        }
        return isPlain && !field.isEmpty ? field : nil
    }
}
