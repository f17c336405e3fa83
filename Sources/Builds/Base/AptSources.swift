import Foundation

/// The host's own lines for the Debian archive, so that a mirror the admin has chosen is used for the base image too.
/// Third-party archives are left out. Formats: sources.list(5), one-line and deb822.
enum AptSources {
    /// One-line entries of `main` of the suite and its updates; empty where the host has none.
    static func host(suite: String, folder: String = "/etc/apt") -> [String] {
        var files = ["\(folder)/sources.list"]
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/sources.list.d")) ?? []
        files += names.sorted().map { "\(folder)/sources.list.d/\($0)" }
        var lines: [String] = []
        for file in files where file.hasSuffix(".list") || file.hasSuffix(".sources") {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { continue }
            let found = file.hasSuffix(".list") ? oneLine(text, suite) : deb822(text, suite)
            lines += found.filter { !lines.contains($0) }
        }
        // Without the suite itself the updates are of no use.
        return lines.contains { $0.contains(" \(suite) ") } ? lines : []
    }

    static func oneLine(_ text: String, _ suite: String) -> [String] {
        text.numberedLines.compactMap { line in
            var words = line.text.prefix { $0 != "#" }.split(separator: " ").map(String.init)
            guard words.first == "deb" else { return nil }
            if words.count > 1, words[1].hasPrefix("[") {
                guard let end = words.firstIndex(where: { $0.hasSuffix("]") }) else { return nil }
                words.removeSubrange(1...end)
            }
            guard words.count >= 4, words[3...].contains("main") else { return nil }
            return entry(words[1], words[2], suite)
        }
    }

    static func deb822(_ text: String, _ suite: String) -> [String] {
        var lines: [String] = []
        for stanza in text.replacingOccurrences(of: "\r", with: "").components(separatedBy: "\n\n") {
            var fields: [String: [String]] = [:]
            for line in stanza.split(separator: "\n") where !line.hasPrefix("#") && !line.hasPrefix(" ") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].split(separator: " ").map(String.init)
            }
            guard fields["types"]?.contains("deb") == true, fields["components"]?.contains("main") == true,
                fields["enabled"]?.first?.lowercased() != "no"
            else { continue }
            for uri in fields["uris"] ?? [] {
                for name in fields["suites"] ?? [] {
                    if let line = entry(uri, name, suite), !lines.contains(line) { lines.append(line) }
                }
            }
        }
        return lines
    }

    private static func entry(_ uri: String, _ name: String, _ suite: String) -> String? {
        let isDebian = uri.split(separator: "/").contains { $0 == "debian" || $0 == "debian-security" }
        guard isDebian, [suite, "\(suite)-updates", "\(suite)-security"].contains(name) else { return nil }
        return "deb \(uri) \(name) main"
    }
}
