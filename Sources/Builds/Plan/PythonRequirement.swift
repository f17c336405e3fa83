/// One line of a requirements file that is made from another format.
struct PythonRequirement: Sendable, Hashable {
    var name: String
    var extras: [String] = []
    /// "==1.17.0", ">=3,<4" (PEP 440); empty for any.
    var specifier = ""
    /// In place of a specifier: where it is fetched from.
    var url: String?
    /// PEP 508; empty for always.
    var marker = ""
    /// "sha256:…"
    var hashes: [String] = []
    /// Where it is written.
    var file: String
    var line: Int

    /// As PEP 508 and pip's requirements file format write it.
    var text: String {
        var text = name + (extras.isEmpty ? "" : "[\(extras.joined(separator: ","))]")
        text += url.map { " @ \($0)" } ?? specifier
        if !marker.isEmpty { text += " ; \(marker)" }
        for hash in hashes { text += " --hash=\(hash)" }
        return text
    }

    /// As error messages name it.
    var entry: Requirements.Entry {
        var plain = self
        plain.hashes = []
        return Requirements.Entry(file: file, line: line, name: Requirements.normalise(name), text: plain.text)
    }

    /// Nothing in it can end a line, begin an option or reach another value.
    var isSafe: Bool {
        let words = [name] + extras + hashes
        func isWord(_ text: String) -> Bool {
            !text.isEmpty && !text.hasPrefix("-")
                && text.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || "._-:".utf8.contains($0)
                }
        }
        let rest = [specifier, marker, url ?? ""]
        return words.allSatisfy(isWord) && rest.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }
            && !specifier.contains(" -") && !specifier.contains(";") && !specifier.contains("@") && !marker.contains("--")
            && !(url ?? "").contains(" ")
    }

    /// What is in a list, sorted, so that the same locks give the same bytes.
    static func file(_ requirements: [PythonRequirement], indexes: [String] = []) -> [UInt8] {
        let lines = indexes + requirements.map(\.text).sorted()
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// Package indexes as pip's options: the first is the one in place of PyPI, which is named nowhere, so that the
    /// platform's own mirror is used.
    static func indexOptions(_ urls: [String]) -> [String] {
        func isPyPI(_ url: String) -> Bool {
            ["https://pypi.org/simple", "https://pypi.python.org/simple"].contains(url.hasSuffix("/") ? String(url.dropLast()) : url)
        }
        guard urls.contains(where: { !isPyPI($0) }) else { return [] }
        return urls.enumerated().compactMap { index, url in
            if index == 0 { return isPyPI(url) ? nil : "--index-url \(url)" }
            return "--extra-index-url \(url)"
        }
    }
}
