import Models

/// The two services of the smart protocol (gitprotocol-http(5)).
enum GitService: String, Sendable {
    case uploadPack = "git-upload-pack"
    case receivePack = "git-receive-pack"

    /// The git command that speaks it.
    var command: String {
        switch self {
        case .uploadPack: "upload-pack"
        case .receivePack: "receive-pack"
        }
    }

    /// What a user must be allowed to do to the app.
    var action: AppAction {
        switch self {
        case .uploadPack: .inspect
        case .receivePack: .operate
        }
    }

    /// "# service=git-upload-pack" and a flush (gitprotocol-http(5), "Smart Server Response"), which protocol v2 leaves out.
    func announcement(protocolVersion: String?) -> String {
        let isVersion2 = protocolVersion?.split(separator: ":").contains("version=2") ?? false
        return self == .uploadPack && isVersion2 ? "" : PktLine.text("# service=\(rawValue)\n") + PktLine.flush
    }
}
