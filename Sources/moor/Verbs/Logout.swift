import ArgumentParser
import Foundation
import Models

struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Forget a platform and revoke the token that login made.")

    @Argument(help: "The platform; the one signed in to last where it is left out.")
    var url: String?

    func run() async throws {
        let file = CredentialsFile(environment: ProcessInfo.processInfo.environment)
        guard let origin = try url.map({ text throws(MoorError) in try Origin(text) }) ?? file.current(),
            let entry = try file.remove(origin)
        else {
            throw MoorError(.invalid, "you are not signed in" + (url.map { " to \($0)" } ?? " anywhere"))
        }
        if let name = entry.tokenName {
            do {
                _ = try await PlatformClient.with(origin, token: entry.token) { try await $0.send(.delete, ["tokens", name]) }
            } catch let error as MoorError where error.code != .unauthenticated {
                Console.note("The token “\(name.printable)” could not be revoked: \(error.message)")
            } catch is MoorError {
                // It no longer worked anyway.
            }
        }
        try Console.line("Signed out of \(origin).")
    }
}
