import Accounts
import Foundation
import GRDB
import Gateway
import Models
import Store
import Subprocess
import SystemPackage

/// Deploys the pip buildpack's example as the app "hello", through a real git push to this very platform.
struct DemoApp {
    var stations: Stations

    /// Does nothing where it was deployed before, also where someone has deleted it since.
    func deployOnce() async throws {
        let marker = stations.folder + "/demo-deployed"
        guard !FileManager.default.fileExists(atPath: marker) else { return }
        guard
            let example = stations.configuration.buildpackRoots.map({ $0 + "/pip/example" }).first(where: {
                FileManager.default.fileExists(atPath: $0)
            })
        else { throw MoorError(.notFound, "the pip buildpack has no example folder") }
        let owner = try await stations.store.read { db in
            try UserRecord.filter(Column("role") == PlatformRole.admin).order(Column("id")).fetchOne(db)
        }
        guard let owner, let ownerID = owner.id else { return }
        say("deploying the demo app hello:")
        try? await stations.accounts.revokeToken(of: ownerID, name: "demo")
        let token = try await stations.accounts.createToken(for: ownerID, name: "demo", expiresInDays: 1)
        let scratch = stations.folder + "/scratch/demo"
        try? FileManager.default.removeItem(atPath: scratch)
        try FileManager.default.copyItem(atPath: URL(filePath: example).standardizedFileURL.path, toPath: scratch)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let result: Result<Void, any Error>
        do {
            try await git(["init", "--quiet", "--initial-branch=main"], in: scratch)
            try await git(["add", "--all"], in: scratch)
            try await git(["commit", "--quiet", "--message=A greeting for whoever looks"], in: scratch)
            let configuration = stations.configuration
            let port = try await stations.gateway.boundAddress().port
            // The panel's name need not resolve from here: git is told the address. The token travels in the environment.
            try await git(
                ["push", "http://\(configuration.domain):\(port)/git/hello.git", "main"], in: scratch,
                config: [
                    "http.curloptResolve": "\(configuration.domain):\(port):\(configuration.loopback)",
                    "http.extraHeader": "Authorization: Basic " + Data("\(owner.username):\(token)".utf8).base64EncodedString(),
                ])
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try? await stations.accounts.revokeToken(of: ownerID, name: "demo")
        try result.get()
        try Data().write(to: URL(filePath: marker))
    }

    /// Runs git with a configuration of its own; what it prints goes to the terminal.
    private func git(_ arguments: [String], in folder: String, config: [String: String] = [:]) async throws {
        var variables: [Environment.Key: String?] = [
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Moorage", "GIT_AUTHOR_EMAIL": "moorage@localhost",
            "GIT_COMMITTER_NAME": "Moorage", "GIT_COMMITTER_EMAIL": "moorage@localhost",
            "GIT_CONFIG_COUNT": String(config.count),
        ]
        for (index, entry) in config.enumerated() {
            variables[Environment.Key(rawValue: "GIT_CONFIG_KEY_\(index)")!] = entry.key
            variables[Environment.Key(rawValue: "GIT_CONFIG_VALUE_\(index)")!] = entry.value
        }
        let result = try await run(
            .name("git"), arguments: Arguments(arguments), environment: .inherit.updating(variables), workingDirectory: FilePath(folder),
            output: .discarded, error: .currentStandardError)
        guard result.terminationStatus.isSuccess else {
            throw MoorError(.appFailed, "git \(arguments[0]) ended with \(result.terminationStatus)")
        }
    }
}

extension PlatformConfiguration {
    /// An address of this machine that the gateway listens on.
    var loopback: String { ["0.0.0.0", "::", "localhost"].contains(listenHost) ? "127.0.0.1" : listenHost }
}
