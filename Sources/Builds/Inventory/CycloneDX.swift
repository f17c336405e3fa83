import Crypto
import Foundation

/// A software bill of materials in CycloneDX 1.5's JSON (ECMA-424's predecessor; bom-1.5.schema.json).
struct CycloneDX: Encodable, Sendable {
    struct Hash: Encodable, Sendable {
        var alg: String
        var content: String
    }
    struct License: Encodable, Sendable {
        struct Named: Encodable, Sendable { var name: String }
        var license: Named?
        var expression: String?
    }
    struct Property: Encodable, Sendable {
        var name: String
        var value: String
    }
    struct Component: Encodable, Sendable {
        var type: String
        var reference: String
        var name: String
        var version: String
        var purl: String?
        var licenses: [License]?
        var hashes: [Hash]?
        var properties: [Property]?

        enum CodingKeys: String, CodingKey {
            case type, name, version, purl, licenses, hashes, properties
            case reference = "bom-ref"
        }
    }
    struct Tools: Encodable, Sendable { var components: [Component] }
    struct Metadata: Encodable, Sendable {
        var timestamp: String
        var tools: Tools
        var component: Component
    }
    struct Dependency: Encodable, Sendable {
        var ref: String
        var dependsOn: [String]
    }

    var bomFormat = "CycloneDX"
    var specVersion = "1.5"
    var serialNumber: String
    var version = 1
    var metadata: Metadata
    var components: [Component]
    var dependencies: [Dependency]

    /// What the document is about.
    struct Subject: Sendable {
        var app: String
        var commit: String
        var release: Int
        var buildpack: String?
        var image: String
        /// Seconds since 1970.
        var builtAt: Double
    }

    init(_ subject: Subject, _ packages: [InstalledPackage]) {
        var properties = [Property(name: "moor:release", value: "v\(subject.release)"), Property(name: "moor:image", value: subject.image)]
        if let buildpack = subject.buildpack { properties.append(.init(name: "moor:buildpack", value: buildpack)) }
        let app = Component(
            type: "application", reference: "app", name: subject.app, version: subject.commit, purl: nil, licenses: nil, hashes: nil,
            properties: properties)
        components = packages.map(Self.component)
        var seen: Set<String> = []
        components = components.filter { seen.insert($0.reference).inserted }
        dependencies = [.init(ref: "app", dependsOn: components.map(\.reference))]
        metadata = Metadata(
            timestamp: Date(timeIntervalSince1970: subject.builtAt).formatted(.iso8601),
            tools: .init(components: [
                .init(
                    type: "application", reference: "tool", name: "moor", version: "1", purl: nil, licenses: nil, hashes: nil,
                    properties: nil)
            ]), component: app)
        // The same content has the same number (RFC 9562 section 5.8: a version of one's own making).
        let text = ([subject.app, subject.commit, "\(subject.release)", subject.image] + components.map(\.reference)).joined(
            separator: "\n")
        var bytes = Array(SHA256.hash(data: Data(text.utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        serialNumber =
            "urn:uuid:" + [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10..<16]].map { $0.joined() }.joined(separator: "-")
    }

    private static func component(_ package: InstalledPackage) -> Component {
        let license = package.license.map { text in
            package.isLicenseExpression == true
                ? License(license: nil, expression: text) : License(license: .init(name: text), expression: nil)
        }
        let lengths = ["MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128]
        let hashes = (package.hashes ?? [:]).sorted { $0.key < $1.key }.map { Hash(alg: $0.key, content: $0.value.lowercased()) }
            .filter { $0.content.utf8.count == lengths[$0.alg] && $0.content.allSatisfy(\.isHexDigit) }
        return Component(
            type: "library", reference: package.purl, name: package.name, version: package.version, purl: package.purl,
            licenses: license.map { [$0] }, hashes: hashes.isEmpty ? nil : hashes, properties: nil)
    }

    /// UTF-8, keys in order.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
