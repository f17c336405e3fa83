import Models

/// A web framework recognised from what a module imports, started the way its own documentation deploys it.
struct Framework: Sendable, Hashable {
    var name: String
    /// The module's file.
    var file: String
    var command: String
    /// Packages the command needs, by name; installed where the app does not ask for them itself.
    var packages: [String]

    /// Files that may hold the app, the first that is recognised winning.
    static let candidates = ["app.py", "main.py", "index.py", "streamlit_app.py", "server.py", "wsgi.py"]

    /// - Returns: nil where no candidate is there or none imports a framework.
    /// - Throws: `appFailed` where the framework is clear but a line is missing that its deployment needs.
    static func recognise(in tree: Tree) throws(MoorError) -> Framework? {
        for file in candidates where tree.has(file) {
            if let framework = try recognise(file, try tree.text(file)) { return framework }
        }
        return nil
    }

    static func recognise(_ file: String, _ text: String) throws(MoorError) -> Framework? {
        let module = String(file.dropLast(3))
        let lines = text.numberedLines.map(\.text)
        func imports(_ package: String) -> Bool { lines.contains { isImport($0.trimmed, of: package) } }
        func gunicorn(_ object: String) -> String { "gunicorn \(module):\(object) --bind 0.0.0.0:$PORT --threads 8" }

        if imports("dash") {
            guard let server = variable(in: lines, { $0.hasSuffix(".server") && !$0.contains("(") }) else {
                throw MoorError(
                    .appFailed, "\(file) is a Dash app, but has no line that names its server",
                    hint: "add the line “server = app.server” after the app is made, or a Procfile with a web process")
            }
            return Framework(name: "Dash", file: file, command: gunicorn(server), packages: ["gunicorn"])
        }
        if imports("streamlit") {
            return Framework(
                name: "Streamlit", file: file,
                command: "streamlit run \(file) --server.address 0.0.0.0 --server.port $PORT --server.headless true "
                    + "--browser.gatherUsageStats false", packages: ["streamlit"])
        }
        if imports("fastapi"), let app = variable(in: lines, { $0.hasPrefix("FastAPI(") || $0.hasPrefix("fastapi.FastAPI(") }) {
            return Framework(
                name: "FastAPI", file: file, command: "uvicorn \(module):\(app) --host 0.0.0.0 --port $PORT", packages: ["uvicorn"])
        }
        if imports("gradio") {
            return Framework(
                name: "Gradio", file: file, command: "GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=$PORT python \(file)",
                packages: ["gradio"])
        }
        if imports("flask"), let app = variable(in: lines, { $0.hasPrefix("Flask(") || $0.hasPrefix("flask.Flask(") }) {
            return Framework(name: "Flask", file: file, command: gunicorn(app), packages: ["gunicorn"])
        }
        return nil
    }

    private static func isImport(_ line: String, of package: String) -> Bool {
        for keyword in ["import \(package)", "from \(package)"] where line.hasPrefix(keyword) {
            let next = line.dropFirst(keyword.count).first
            if next == nil || next == " " || next == "." || next == "," || next == ";" || next == "\t" { return true }
        }
        return false
    }

    /// The name of the module-level variable that is given a value `isWanted` accepts.
    private static func variable(in lines: [String], _ isWanted: (String) -> Bool) -> String? {
        for line in lines {
            guard let equals = line.firstIndex(of: "="), line.first?.isWhitespace == false else { continue }
            let value = line[line.index(after: equals)...].split(separator: "#", maxSplits: 1).first.map { String($0).trimmed } ?? ""
            // "server: Flask = …" is annotated.
            let name = line[..<equals].split(separator: ":", maxSplits: 1).first.map { String($0).trimmed } ?? ""
            let isIdentifier = name.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
            }
            if !name.isEmpty, isIdentifier, isWanted(value) { return name }
        }
        return nil
    }
}
