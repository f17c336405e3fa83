import Models

/// What a tree says should run: Procfile, then moor.yaml, then a recognised framework for a missing `web`.
struct FormationReading: Sendable, Hashable {
    var formation: Formation
    /// Said to the pusher, such as "recognised Dash in app.py".
    var notes: [String] = []
    /// What start commands made here need installed.
    var packages: [String] = []
    /// What app.json wants run in the build.
    var predeploy: String?

    /// - Throws: `appFailed` with file and line.
    init(_ tree: Tree, spec: AppSpec?, pack: Buildpack) throws(MoorError) {
        var commands: [(name: String, command: String)] = []
        var recognised: Framework?
        if tree.has("Procfile") { commands = try Procfile.parse(try tree.text("Procfile")) }

        for process in spec?.processes ?? [] {
            if let command = process.command {
                if let index = commands.firstIndex(where: { $0.name == process.name }) {
                    commands[index].command = command
                } else {
                    commands.append((process.name, command))
                }
            }
        }
        // An app of workers alone is fine; only one that names nothing at all, or only what runs before it, is looked into.
        let namesWeb = spec?.processes.contains { $0.name == "web" } == true
        if namesWeb || commands.allSatisfy({ $0.name == "release" }), !commands.contains(where: { $0.name == "web" }) {
            if let framework = try Framework.recognise(in: tree, table: pack.frameworks) {
                notes.append(
                    "recognised \(framework.name) in \(framework.file) (\(framework.reason)), starting it with: \(framework.command)")
                notes += framework.notes
                packages = framework.packages
                commands.insert(("web", framework.command), at: 0)
                recognised = framework
            } else if let web = pack.processes["web"] {
                commands.insert(("web", web), at: 0)
            } else if pack.kind == .dockerfile {
                // The image says itself what it runs.
                commands.insert(("web", ""), at: 0)
            } else {
                throw Self.unknownWeb(pack)
            }
        }
        if tree.has(AppJSON.file) {
            let scripts = try AppJSON(try tree.text(AppJSON.file))
            predeploy = scripts.predeploy
            if let postdeploy = scripts.postdeploy { Self.add(postdeploy: postdeploy, to: &commands) }
        }
        formation = commands.map {
            let isWeb = $0.name == "web"
            return ProcessSpec(
                name: $0.name, command: $0.command, resources: pack.resources,
                health: isWeb ? HealthCheck(path: recognised?.healthPath ?? "/") : nil, sticky: isWeb && recognised?.sticky == true)
        }
        if let spec { try apply(spec) }
    }

    private mutating func apply(_ spec: AppSpec) throws(MoorError) {
        for process in spec.processes {
            guard let index = formation.firstIndex(where: { $0.name == process.name }) else {
                throw MoorError(
                    .appFailed, "moor.yaml line \(process.line): processes.\(process.name) has no command",
                    hint: "give it a command there, or a line in the Procfile")
            }
            if let replicas = process.replicas { formation[index].replicas = replicas }
            if let cpu = process.cpuMillis { formation[index].resources.cpuMillis = cpu }
            if let memory = process.memoryBytes { formation[index].resources.memoryBytes = memory }
            if let pids = process.pids { formation[index].resources.pids = pids }
            if let disk = process.diskBytes { formation[index].resources.diskBytes = disk }
            formation[index].declared = process.declared
            formation[index].rollout = process.rollout
        }
        for index in formation.indices {
            if formation[index].isWeb { formation[index].drain = spec.drain }
            if formation[index].isWeb, let health = spec.health { try Self.apply(health, to: &formation[index]) }
            if let health = spec.processes.first(where: { $0.name == formation[index].name })?.health {
                try Self.apply(health, to: &formation[index])
            }
        }
    }

    private static func apply(_ said: AppSpec.Health, to process: inout ProcessSpec) throws(MoorError) {
        if !process.isWeb, said.command == nil || process.isReleaseCommand {
            throw MoorError(
                .appFailed,
                "moor.yaml line \(said.line): \(process.name) takes no requests, so it has no \(said.isTCP ? "port" : "path") to be asked on",
                hint: process.isReleaseCommand
                    ? "it runs once: its exit code says whether it is well" : "give its health a command to run in it")
        }
        var check = process.health ?? HealthCheck()
        if let path = said.path { (check.path, check.probe) = (path, .http) }
        if said.isTCP { check.probe = .tcp }
        if let command = said.command { check.probe = .command(command) }
        check.timeoutSeconds = said.timeoutSeconds ?? check.timeoutSeconds
        check.intervalSeconds = said.intervalSeconds ?? check.intervalSeconds
        check.failureThreshold = said.failures ?? check.failureThreshold
        check.restartAfterSeconds = said.restartAfterSeconds ?? check.restartAfterSeconds
        process.health = check
    }

    /// It runs where the release command does, after it.
    private static func add(postdeploy: String, to commands: inout [(name: String, command: String)]) {
        if let index = commands.firstIndex(where: { $0.name == "release" }) {
            commands[index].command = "( \(commands[index].command) ) && ( \(postdeploy) )"
        } else {
            commands.append(("release", postdeploy))
        }
    }

    private static func unknownWeb(_ pack: Buildpack) -> MoorError {
        var names: [String] = []
        var files: [String] = []
        for entry in pack.frameworks {
            if !names.contains(entry.name) { names.append(entry.name) }
            for file in entry.files where !files.contains(file) { files.append(file) }
        }
        let looked = names.isEmpty ? "" : ", and no \(Detection.list(names, "or")) app was found in \(files.joined(separator: ", "))"
        return MoorError(
            .appFailed, "nothing here says how to start this app: there is no Procfile\(looked)",
            hint: "add a file named Procfile with one line, such as “web: gunicorn app:server --bind 0.0.0.0:$PORT”")
    }
}
