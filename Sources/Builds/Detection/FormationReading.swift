import Models

/// What a tree says should run: Procfile, then moor.yaml, then a recognised framework for a missing `web`.
struct FormationReading: Sendable, Hashable {
    var formation: Formation
    /// Said to the pusher, such as "recognised Dash in app.py".
    var notes: [String] = []
    /// What start commands made here need installed.
    var packages: [String] = []

    /// - Throws: `appFailed` with file and line.
    init(_ tree: Tree) throws(MoorError) {
        var commands: [(name: String, command: String)] = []
        if tree.has("Procfile") { commands = try Procfile.parse(try tree.text("Procfile")) }
        let spec = tree.has(AppSpec.file) ? try AppSpec(try tree.text(AppSpec.file)) : nil

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
            guard let framework = try Framework.recognise(in: tree) else { throw Self.unknownWeb(tree) }
            notes.append("recognised \(framework.name) in \(framework.file), starting it with: \(framework.command)")
            packages = framework.packages
            commands.insert(("web", framework.command), at: 0)
        }
        formation = commands.map { ProcessSpec(name: $0.name, command: $0.command, health: $0.name == "web" ? HealthCheck() : nil) }
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
        }
        for index in formation.indices where formation[index].isWeb {
            if let path = spec.healthPath { formation[index].health?.path = path }
            if let timeout = spec.healthTimeoutSeconds { formation[index].health?.timeoutSeconds = timeout }
        }
    }

    private static func unknownWeb(_ tree: Tree) -> MoorError {
        MoorError(
            .appFailed,
            "nothing here says how to start this app: there is no Procfile, and no Dash, Streamlit, FastAPI, Gradio or Flask app was "
                + "found in \(Framework.candidates.joined(separator: ", "))",
            hint: "add a file named Procfile with one line, such as “web: gunicorn app:server --bind 0.0.0.0:$PORT”")
    }
}
