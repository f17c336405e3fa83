/// What a Python module imports, and what it names at its top level.
struct PythonModule {
    /// Dotted names: "a.b" for `import a.b`, "a.b" and "a.b.c" for `from a.b import c`.
    private(set) var imports: Set<String> = []
    /// What local names of imports stand for: "st" for "streamlit".
    private var aliases: [String: String] = [:]
    private(set) var assignments: [Assignment] = []
    /// Names called as methods anywhere: "launch" for `demo.launch()`.
    private(set) var methods: Set<String> = []

    struct Assignment: Equatable {
        var name: String
        /// "app.server" for `server = app.server`; "fastapi.FastAPI" for `app = FastAPI(…)` where that is what was imported.
        var value: String
        /// The same as it is written.
        var written: String
        var isCall: Bool
    }

    init(_ bytes: [UInt8]) {
        let statements = PythonTokens.statements(of: bytes)
        for statement in statements { readImports(statement.tokens[...]) }
        for statement in statements {
            readMethods(statement.tokens)
            if statement.isAtModuleLevel { readAssignment(statement.tokens[...]) }
        }
    }

    func imports(_ name: String) -> Bool { imports.contains(name) }

    // MARK: Reading

    private typealias Tokens = ArraySlice<PythonTokens.Token>

    private static let blocks: Set<String> = ["else", "try", "finally", "if", "for", "while", "with", "except", "class", "def"]

    private mutating func readImports(_ tokens: Tokens) {
        guard case .name(let first)? = tokens.first else { return }
        if first == "import" {
            for part in tokens.dropFirst().split(separator: .mark(UInt8(ascii: ","))) { readImport(part) }
        } else if first == "from" {
            readFrom(tokens.dropFirst())
        } else if Self.blocks.contains(first) {
            // "try: import x" stands on one line.
            var depth = 0
            for (index, token) in zip(tokens.indices, tokens) {
                guard case .mark(let mark) = token else { continue }
                if "([{".utf8.contains(mark) { depth += 1 }
                if ")]}".utf8.contains(mark) { depth -= 1 }
                if mark == UInt8(ascii: ":"), depth == 0 { return readImports(tokens[(index + 1)...]) }
            }
        }
    }

    /// "a.b as c"
    private mutating func readImport(_ tokens: Tokens) {
        let (name, rest) = Self.dottedName(tokens)
        guard !name.isEmpty else { return }
        addImport(name)
        if let alias = Self.alias(rest) {
            aliases[alias] = name
        } else {
            let top = String(name.prefix { $0 != "." })
            aliases[top] = top
        }
    }

    /// "x.y import (a as b, c)"
    private mutating func readFrom(_ tokens: Tokens) {
        let (module, rest) = Self.dottedName(tokens)
        // What a leading dot names is the app's own.
        guard !module.isEmpty, rest.first == .name("import") else { return }
        addImport(module)
        let names = rest.dropFirst().filter { $0 != .mark(UInt8(ascii: "(")) && $0 != .mark(UInt8(ascii: ")")) }
        for part in names.split(separator: .mark(UInt8(ascii: ","))) {
            guard case .name(let name)? = part.first else { continue }
            imports.insert("\(module).\(name)")
            aliases[Self.alias(part.dropFirst()) ?? name] = "\(module).\(name)"
        }
    }

    private mutating func addImport(_ name: String) {
        var prefix = ""
        // Deeper names are no packages of anybody's.
        for part in name.split(separator: ".").prefix(8) {
            prefix += prefix.isEmpty ? part : "." + part
            imports.insert(prefix)
        }
    }

    private static func alias(_ tokens: Tokens) -> String? {
        guard tokens.first == .name("as"), case .name(let alias)? = tokens.dropFirst().first else { return nil }
        return alias
    }

    private static func dottedName(_ tokens: Tokens) -> (String, Tokens) {
        var parts: [String] = []
        var rest = tokens
        while case .name(let part)? = rest.first, part != "import" || parts.isEmpty {
            parts.append(part)
            rest = rest.dropFirst()
            guard rest.first == .mark(UInt8(ascii: ".")) else { break }
            rest = rest.dropFirst()
        }
        return (parts.joined(separator: "."), rest)
    }

    private mutating func readMethods(_ tokens: [PythonTokens.Token]) {
        guard tokens.count > 2 else { return }
        for index in 2..<tokens.count where tokens[index] == .mark(UInt8(ascii: "(")) {
            if case .name(let name) = tokens[index - 1], tokens[index - 2] == .mark(UInt8(ascii: ".")) { methods.insert(name) }
        }
    }

    /// "name = value" and "name: type = value", the value being a dotted name or a call of one.
    private mutating func readAssignment(_ tokens: Tokens) {
        let equals = PythonTokens.Token.mark(UInt8(ascii: "="))
        guard case .name(let name)? = tokens.first, !Self.blocks.contains(name), let at = tokens.firstIndex(of: equals) else { return }
        let before = tokens[tokens.startIndex + 1..<at]
        guard before.isEmpty || before.first == .mark(UInt8(ascii: ":")) else { return }
        let value = tokens[(at + 1)...]
        // "a == b" compares.
        guard value.first != equals else { return }
        let (written, rest) = Self.dottedName(value)
        guard !written.isEmpty else { return }
        let isCall = rest.first == .mark(UInt8(ascii: "("))
        guard isCall || rest.isEmpty else { return }
        assignments.append(Assignment(name: name, value: resolve(written), written: written, isCall: isCall))
    }

    private func resolve(_ name: String) -> String {
        let first = name.prefix { $0 != "." }
        return (aliases[String(first)] ?? String(first)) + name.dropFirst(first.count)
    }
}
