import Models

/// Reads a Procfile: one `name: command` a line, as Heroku and Dokku do, but a line that is neither that, empty nor a
/// comment is an error and not skipped.
enum Procfile {
    static let good = "a line looks like “web: gunicorn app:server --bind 0.0.0.0:$PORT”"

    /// Names and commands in the order of the file.
    /// - Throws: `appFailed` with the number of the line.
    static func parse(_ text: String) throws(MoorError) -> [(name: String, command: String)] {
        var processes: [(name: String, command: String)] = []
        var lines: [String: Int] = [:]
        for (number, raw) in text.numberedLines {
            let line = raw.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            let shown = String(line.prefix(120))
            guard let colon = line.firstIndex(of: ":") else {
                throw MoorError(.appFailed, "Procfile line \(number) has no colon after a process name: “\(shown)”", hint: good)
            }
            let name = String(line[..<colon])
            let command = line[line.index(after: colon)...].trimmed
            guard isName(name) else {
                throw MoorError(
                    .appFailed, "Procfile line \(number) does not begin with a process name: “\(shown)”",
                    hint: "a name is at most 32 letters, digits, - and _; \(good)")
            }
            guard !command.isEmpty else {
                throw MoorError(.appFailed, "Procfile line \(number) gives no command for “\(name)”", hint: good)
            }
            if let earlier = lines[name] {
                throw MoorError(
                    .appFailed, "Procfile line \(number) names “\(name)” again; line \(earlier) did before",
                    hint: "keep one line for each process")
            }
            lines[name] = number
            processes.append((name, command))
        }
        guard !processes.isEmpty else {
            throw MoorError(.appFailed, "the Procfile names no process", hint: good)
        }
        return processes
    }

    /// Names end up in names of containers.
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 32 else { return false }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        return isAlphanumeric(first) && name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F }
    }
}
