import Foundation
import Models
import Testing

@testable import Builds

struct `The record of what is installed` {
    private static let output = """
        deb\tlibc6\t2.36-9+deb12u10\tamd64
        deb\tlibc6\t2.36-9+deb12u10\tamd64
        cran\tshiny\t1.9.1\tGPL-3 | file LICENSE
        not a line of it
        {"kind": "pypi", "name": "Flask_Caching", "version": "2.3.0", "license": "BSD-3-Clause", "isLicenseExpression": true}
        {"kind": "pypi", "name": "", "version": "1"}
        {"kind": "conda", "name": "numpy", "version": "1.26.4", "build": "py311h64a7726_0", "channel": "conda-forge", \
        "subdirectory": "linux-64", "license": "BSD-3-Clause", "hashes": {"SHA-256": "\(String(repeating: "ab", count: 32))", "MD5": "xyz"}}
        """

    @Test func `is read line by line, each package once and in order`() {
        let packages = InstalledPackage.read(Array(Self.output.utf8))
        #expect(
            packages.map(\.purl) == [
                "pkg:conda/numpy@1.26.4?build=py311h64a7726_0&channel=conda-forge&subdir=linux-64", "pkg:cran/shiny@1.9.1",
                "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64", "pkg:pypi/flask-caching@2.3.0",
            ])
    }

    @Test func `becomes a document that is the same for the same content`() throws {
        let packages = InstalledPackage.read(Array(Self.output.utf8))
        let subject = CycloneDX.Subject(
            app: "sales", commit: "c0ffee", release: 3, buildpack: "pip", image: "sha256:1", builtAt: 1_700_000_000)
        let data = try CycloneDX(subject, packages).encoded()
        #expect(try CycloneDX(subject, packages).encoded() == data)
        let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        try expectCycloneDX(root)
        let metadata = try #require(root["metadata"] as? [String: Any])
        #expect(metadata["timestamp"] as? String == "2023-11-14T22:13:20Z")
        let component = try #require(metadata["component"] as? [String: Any])
        #expect(component["name"] as? String == "sales" && component["version"] as? String == "c0ffee")
        let components = try #require(root["components"] as? [[String: Any]])
        #expect(components.count == 4)
        let numpy = try #require(components.first)
        #expect((numpy["hashes"] as? [[String: String]]) == [["alg": "SHA-256", "content": String(repeating: "ab", count: 32)]])
        #expect((components[3]["licenses"] as? [[String: String]]) == [["expression": "BSD-3-Clause"]])
        #expect((components[1]["licenses"] as? [[String: [String: String]]]) == [["license": ["name": "GPL-3 | file LICENSE"]]])
    }

    @Test(arguments: [0, 1, 1000, 300_000]) func `is kept compressed and comes back whole`(count: Int) throws {
        let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) }
        let packed = try Deflated.deflate(plain)
        #expect(try Deflated.inflate(packed) == plain)
        guard count > 0 else { return }
        #expect(throws: MoorError.self) { try Deflated.inflate(packed.dropLast(5)) }
        #expect(throws: MoorError.self) { try Deflated.inflate(Data([255, 255, 255, 255]) + packed.dropFirst(4)) }
    }
}

/// The shape that CycloneDX 1.5's JSON schema (bom-1.5.schema.json) asks for: required members, enumerations, patterns, and
/// that every reference is unique and every one that is named exists.
func expectCycloneDX(_ root: [String: Any], sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(root["bomFormat"] as? String == "CycloneDX" && root["specVersion"] as? String == "1.5", sourceLocation: sourceLocation)
    #expect(root["version"] as? Int == 1, sourceLocation: sourceLocation)
    let serial = try #require(root["serialNumber"] as? String)
    let pattern = /urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
    #expect(serial.wholeMatch(of: pattern) != nil, sourceLocation: sourceLocation)
    let allowed: Set = ["bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"]
    #expect(Set(root.keys).isSubset(of: allowed), sourceLocation: sourceLocation)
    let metadata = try #require(root["metadata"] as? [String: Any])
    #expect(Set(metadata.keys) == ["timestamp", "tools", "component"], sourceLocation: sourceLocation)
    let own = try #require(metadata["component"] as? [String: Any])
    let components = try #require(root["components"] as? [[String: Any]])
    var references: Set<String> = []
    for component in [own] + components {
        #expect(["application", "library"].contains(component["type"] as? String), sourceLocation: sourceLocation)
        #expect((component["name"] as? String)?.isEmpty == false, sourceLocation: sourceLocation)
        let keys: Set = ["type", "bom-ref", "name", "version", "purl", "licenses", "hashes", "properties"]
        #expect(Set(component.keys).isSubset(of: keys), sourceLocation: sourceLocation)
        let reference = try #require(component["bom-ref"] as? String)
        #expect(references.insert(reference).inserted, "\(reference) twice", sourceLocation: sourceLocation)
        for license in component["licenses"] as? [[String: Any]] ?? [] {
            #expect(Set(license.keys) == ["license"] || Set(license.keys) == ["expression"], sourceLocation: sourceLocation)
        }
    }
    for dependency in try #require(root["dependencies"] as? [[String: Any]]) {
        let named = [try #require(dependency["ref"] as? String)] + (dependency["dependsOn"] as? [String] ?? [])
        #expect(references.isSuperset(of: named), sourceLocation: sourceLocation)
    }
}
