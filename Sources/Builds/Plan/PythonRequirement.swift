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
    /// The only index it may come from; nil: any of the app's.
    var index: PythonIndex?
    /// Where it is written.
    var file: String
    var line: Int

    /// As PEP 508 writes it.
    var plain: String {
        let text = name + (extras.isEmpty ? "" : "[\(extras.joined(separator: ","))]") + (url.map { " @ \($0)" } ?? specifier)
        return marker.isEmpty ? text : "\(text) ; \(marker)"
    }

    /// As a line of pip's requirements file format.
    var text: String { plain + hashes.map { " --hash=\($0)" }.joined() }

    /// As a constraint.
    var withoutExtras: PythonRequirement {
        var constraint = self
        constraint.extras = []
        return constraint
    }

    /// As error messages name it.
    var entry: Requirements.Entry { .init(file: file, line: line, name: Requirements.normalise(name), text: plain) }

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
    static func file(_ requirements: [PythonRequirement], options: [String] = []) -> [UInt8] {
        let lines = options + requirements.map(\.text).sorted()
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }
}
