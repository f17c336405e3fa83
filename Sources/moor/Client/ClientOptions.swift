import ArgumentParser
import Foundation
import Models

/// What every verb that talks to a platform takes.
struct ClientOptions: ParsableArguments, Sendable {
    @Option(help: ArgumentHelp("The platform, where it is not the one signed in to last.", valueName: "url"))
    var url: String?

    @Flag(help: "Print what the API said, as JSON.")
    var json = false

    /// Signed in to the platform that is meant.
    /// - Parameter patience: for how long the platform may be silent.
    func connect<T>(patience: Duration = PlatformClient.usualPatience, _ body: (PlatformClient) async throws -> T) async throws -> T {
        try await connect(remote: await Remote.current(), patience: patience, body)
    }

    /// Signed in to the platform that is meant, in a checkout whose remote is known.
    func connect<T>(remote: Remote?, patience: Duration, _ body: (PlatformClient) async throws -> T) async throws -> T {
        let environment = ProcessInfo.processInfo.environment
        let place = try Place.find(
            url: url, remote: remote, environment: environment, credentials: CredentialsFile(environment: environment))
        guard let token = place.token else {
            throw MoorError(.unauthenticated, "you are not signed in to \(place.origin)", hint: "moor login \(place.origin)")
        }
        return try await PlatformClient.with(place.origin, token: token, patience: patience, body)
    }
}

/// What every verb about one app takes.
struct AppOptions: ParsableArguments, Sendable {
    @Option(name: .shortAndLong, help: ArgumentHelp("The app, where it is not the one of the git remote “moorage”.", valueName: "name"))
    var app: String?

    @OptionGroup var client: ClientOptions

    var json: Bool { client.json }

    func connect<T>(
        patience: Duration = PlatformClient.usualPatience, _ body: (PlatformClient, AppName) async throws -> T
    ) async throws -> T {
        let remote = await Remote.current()
        let name: AppName
        if let app {
            name = try AppName(validating: app)
        } else if let remote {
            name = remote.app
        } else {
            throw MoorError(
                .invalid, "which app?", hint: "name it with --app, or be in a checkout with a git remote “moorage”")
        }
        return try await client.connect(remote: remote, patience: patience) { platform in try await body(platform, name) }
    }
}
