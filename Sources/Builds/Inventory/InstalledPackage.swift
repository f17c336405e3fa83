import Foundation

/// One thing that is installed in a layer, as the script in `InventoryScript` tells it.
struct InstalledPackage: Codable, Sendable, Hashable {
    enum Kind: String, Codable, Sendable {
        case pypi, deb, conda, cran
    }

    var kind: Kind
    var name: String
    var version: String
    /// Of a Debian package.
    var architecture: String?
    /// Of a conda package.
    var build: String?
    var channel: String?
    var subdirectory: String?
    /// An SPDX expression, or whatever else the package says.
    var license: String?
    var isLicenseExpression: Bool?
    /// Of the archive it came from, hexadecimal, by algorithm as CycloneDX names it ("SHA-256").
    var hashes: [String: String]?

    /// Reads the script's lines; what is not one of them is passed over. Each package once, in a fixed order.
    static func read(_ output: [UInt8]) -> [InstalledPackage] {
        var found: Set<InstalledPackage> = []
        for line in output.split(separator: 0x0A) {
            if line.first == UInt8(ascii: "{") {
                if let package = try? JSONDecoder().decode(InstalledPackage.self, from: Data(line)), !package.name.isEmpty {
                    found.insert(package)
                }
            } else {
                let fields = String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                guard fields.count == 4, let kind = Kind(rawValue: fields[0]), !fields[1].isEmpty else { continue }
                switch kind {
                case .deb: found.insert(.init(kind: kind, name: fields[1], version: fields[2], architecture: fields[3]))
                case .cran:
                    found.insert(.init(kind: kind, name: fields[1], version: fields[2], license: fields[3].isEmpty ? nil : fields[3]))
                case .pypi, .conda: continue
                }
            }
        }
        return found.sorted {
            ($0.kind.rawValue, $0.name, $0.version, $0.build ?? "") < ($1.kind.rawValue, $1.name, $1.version, $1.build ?? "")
        }
    }

    /// Its package URL (purl-spec, PURL-TYPES).
    var purl: String {
        func encoded(_ text: String) -> String {
            // What the specification leaves as it is in a name or version.
            text.addingPercentEncoding(
                withAllowedCharacters: .alphanumerics.intersection(.init(charactersIn: "\u{0}"..."\u{7F}")).union(
                    .init(charactersIn: "-._~:")))
                ?? text
        }
        var qualifiers: [String: String] = [:]
        var path = "\(kind.rawValue)/"
        switch kind {
        case .pypi:
            path += encoded(Requirements.normalise(name))
        case .deb:
            path += "debian/" + encoded(name.lowercased())
            qualifiers["arch"] = architecture
        case .conda:
            path += encoded(name.lowercased())
            qualifiers = ["build": build, "channel": channel, "subdir": subdirectory].compactMapValues(\.self)
        case .cran:
            path += encoded(name)
        }
        let query = qualifiers.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { "\($0.key)=\(encoded($0.value))" }
        return "pkg:\(path)@\(encoded(version))" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}
