import Foundation
import Yams

/// The GPUs that containers of this host can be given, as Container Device Interface specifications name them
/// (github.com/cncf-tags/container-device-interface, SPEC.md; `nvidia-ctk cdi generate` writes NVIDIA's).
package struct GPUInventory: Sendable, Hashable {
    /// Qualified names in order, such as "nvidia.com/gpu=0".
    package var devices: [String]

    package static let folders = ["/etc/cdi", "/var/run/cdi"]

    /// - Parameters:
    ///   - kind: such as "nvidia.com/gpu".
    ///   - folders: where engines look; of two devices with one name the later folder's counts, which changes no name.
    package static func read(kind: String, folders: [String] = folders) -> GPUInventory {
        var names: Set<String> = []
        for folder in folders {
            for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                guard [".json", ".yaml", ".yml"].contains(where: file.hasSuffix),
                    let text = try? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8),
                    let specification = try? YAMLDecoder().decode(Specification.self, from: text), specification.kind == kind
                else { continue }
                names.formUnion(specification.devices.map(\.name).filter(isOne))
            }
        }
        return GPUInventory(devices: names.sorted { $0.localizedStandardCompare($1) == .orderedAscending }.map { "\(kind)=\($0)" })
    }

    /// "all" is the sum of the others, and a UUID another name of one.
    private static func isOne(_ name: String) -> Bool { name != "all" && !name.hasPrefix("GPU-") && !name.hasPrefix("MIG-") }

    private struct Specification: Decodable {
        struct Device: Decodable { var name: String }
        var kind: String
        var devices: [Device]
    }
}
