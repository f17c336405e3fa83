import Engine
import Foundation
import Logging
import Models
import Subprocess

/// Makes the base image's root file system as one tar, with mmdebstrap from Debian's packages.
struct BaseImage: Sendable {
    var recipe = BaseRecipe()
    let configuration: BuildsConfiguration

    var reference: String { "\(ImageNames.base):\(recipe.digest)" }

    /// Makes the archive and gives it to `use`, then removes it unless it is to be kept.
    func withArchive(progress: DeployLog, _ use: (String) async throws -> Void) async throws {
        let kept = configuration.baseArchives.map { "\($0)/moor-base-\(recipe.digest).tar" }
        if let kept, FileManager.default.fileExists(atPath: kept) { return try await use(kept) }
        await removeLeftovers()
        let folder = "\(configuration.scratch)/base-\(UUID().uuidString.prefix(8).lowercased())"
        let outcome: Result<Void, any Error>
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let archive = "\(folder)/base.tar"
            try await make(archive, in: folder, progress: progress)
            try await use(archive)
            if let kept {
                try FileManager.default.createDirectory(atPath: configuration.baseArchives ?? "", withIntermediateDirectories: true)
                // Elsewhere first: others look for the final name at any time.
                try FileManager.default.copyItem(atPath: archive, toPath: "\(kept).\(getpid())")
                try FileManager.default.moveItem(atPath: "\(kept).\(getpid())", toPath: kept)
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await Task { await Self.remove(folder) }.value
        try outcome.get()
    }

    private func make(_ archive: String, in folder: String, progress: DeployLog) async throws {
        var variables = BuildEnvironment.proxyVariables()
        let host = ProcessInfo.processInfo.environment
        variables["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        variables["LC_ALL"] = "C.UTF-8"
        variables["HOME"] = host["HOME"]
        variables["TMPDIR"] = folder
        variables["DEBIAN_FRONTEND"] = "noninteractive"
        variables["MOOR_UV"] = recipe.uv
        variables["PIP_INDEX_URL"] = host["UV_DEFAULT_INDEX"] ?? host["PIP_INDEX_URL"]
        variables["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        if let bundle = configuration.caBundle {
            variables["MOOR_CA"] = bundle
            variables["PIP_CERT"] = "/opt/moor-ca.crt"
            variables["REQUESTS_CA_BUNDLE"] = "/opt/moor-ca.crt"
        }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(10))]
        var environment: [Environment.Key: String] = [:]
        for (name, value) in variables { if let key = Environment.Key(rawValue: name) { environment[key] = value } }
        let result = try await run(
            .name("mmdebstrap"), arguments: .init(recipe.arguments(target: archive, sources: AptSources.host(suite: recipe.suite))),
            environment: .custom(environment), platformOptions: options, input: .none, output: .sequence, error: .combinedWithOutput
        ) { process in
            var last: [String] = []
            for try await line in process.standardOutput.strings() {
                last = last.suffix(19) + [LogLines.clean(line)]
                if let step = Self.step(line) { await progress.line("base image: \(step)") }
            }
            return last
        }
        guard result.terminationStatus.isSuccess else {
            let lines = result.closureResult
            let isFull = lines.contains { $0.contains("No space left on device") }
            throw MoorError(
                .unavailable, isFull ? "the disk is full: the base image could not be made" : "the base image could not be made",
                hint: isFull
                    ? "free about 1 GiB in \(configuration.scratch)"
                    : "check that Debian's archive and the Python package index can be reached",
                detail: lines)
        }
    }

    /// mmdebstrap's own words for the few steps that take long.
    private static func step(_ line: String) -> String? {
        let steps = [
            "running apt-get update": "reading Debian's package lists", "downloading packages": "downloading packages",
            "extracting archives": "unpacking", "installing essential packages": "setting up the essential packages",
            "installing remaining packages": "setting up Python", "creating tarball": "packing",
        ]
        return steps.first { line.contains($0.key) }?.value
    }

    private func removeLeftovers() async {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: configuration.scratch)) ?? []
        for name in names where name.hasPrefix("base-") { await Self.remove("\(configuration.scratch)/\(name)") }
    }

    /// Podman 4.3 keeps its copy of an imported archive for ever.
    func removeUpload() async {
        guard let folder = configuration.engineTemporaryFolder else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix("api_load.tar") { await Self.remove("\(folder)/\(name)") }
    }

    /// A killed run may leave /dev and /proc mounted in it; they are taken away first and never walked into.
    private static func remove(_ folder: String) async {
        let table = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        let mounts = table.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }
        for mount in mounts.reversed() where mount.hasPrefix(folder + "/") {
            _ = try? await run(.name("umount"), arguments: ["--lazy", mount], output: .discarded, error: .discarded)
        }
        _ = try? await run(
            .name("rm"), arguments: ["--recursive", "--force", "--one-file-system", folder], output: .discarded, error: .discarded)
    }
}

/// The bytes of a file, a chunk at a time.
struct FileChunks: AsyncSequence, Sendable {
    let path: String

    struct AsyncIterator: AsyncIteratorProtocol {
        let file: FileHandle
        mutating func next() async throws -> [UInt8]? {
            let data = try file.read(upToCount: 1 << 20) ?? Data()
            return data.isEmpty ? nil : Array(data)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(file: FileHandle(forReadingAtPath: path) ?? FileHandle(forReadingAtPath: "/dev/null")!)
    }
}
