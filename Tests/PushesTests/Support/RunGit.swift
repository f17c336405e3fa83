import Foundation
import Subprocess

/// What one run of a program came to, both outputs together.
struct GitResult: Sendable {
    var succeeded: Bool
    var output: String
}

/// Runs the real git as a person's: no configuration but the scratch folder's. Cancelling kills it with its children.
func runGit(_ arguments: [String], in folder: URL, home: URL, environment: [String: String] = [:]) async throws -> GitResult {
    try await runProgram("git", ["-C", folder.path] + arguments, home: home, environment: environment)
}

func runProgram(
    _ program: String, _ arguments: [String], home: URL, environment: [String: String] = [:]
) async throws -> GitResult {
    var values = [
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home.path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada Example", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada Example",
        "GIT_COMMITTER_EMAIL": "ada@example.com", "LC_ALL": "C.UTF-8",
    ]
    values.merge(environment) { $1 }
    var options = PlatformOptions()
    options.processGroupID = 0
    options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
    let custom = Environment.custom(Dictionary(uniqueKeysWithValues: values.map { (Environment.Key(rawValue: $0.key)!, $0.value) }))
    let result = try await run(
        .name(program), arguments: Arguments(arguments), environment: custom, platformOptions: options,
        output: .string(limit: 4 << 20), error: .combinedWithOutput)
    return GitResult(succeeded: result.terminationStatus.isSuccess, output: result.standardOutput)
}
