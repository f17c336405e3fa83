import Models

/// Whether an app runs on GPUs, and why: `resources.gpu` of moor.yaml says so, or a package that needs CUDA does.
struct GPUNeed: Sendable, Hashable {
    /// Of the process that wants most.
    var count = 0
    var isOptional = false
    /// For the pusher, such as "torch in requirements.txt line 2 needs CUDA"; nil where no package says so.
    var package: String?
    /// moor.yaml says 0 although a package would use GPUs.
    var isDeclined = false

    var isWanted: Bool { count > 0 }

    /// - Parameter table: `needs` of the overlay: names of packages, an extra that alone makes the difference in brackets.
    init(_ reading: inout FormationReading, _ spec: AppSpec?, _ requirements: Requirements, table: [String], tree: Tree) throws(MoorError) {
        let wishes = Dictionary((spec?.processes ?? []).map { ($0.name, $0.gpus) }, uniquingKeysWith: { $1 })
        package = try Self.package(requirements, table, tree)
        for index in reading.formation.indices where !reading.formation[index].isReleaseCommand {
            switch wishes[reading.formation[index].name] ?? nil {
            case .count(let count):
                reading.formation[index].resources.gpus = count
                if count == 0, package != nil { isDeclined = true }
            case .optional:
                reading.formation[index].resources.gpus = 1
                reading.formation[index].resources.areGPUsOptional = true
            case nil:
                if package != nil { reading.formation[index].resources.gpus = 1 }
            }
        }
        let resources = reading.formation.map(\.resources).filter { $0.gpus > 0 }
        count = resources.map(\.gpus).max() ?? 0
        isOptional = resources.allSatisfy(\.areGPUsOptional)
        if isWanted { isDeclined = false }
    }

    private static func package(_ requirements: Requirements, _ table: [String], _ tree: Tree) throws(MoorError) -> String? {
        // Wheels from PyTorch's index for CPUs need none.
        for file in requirements.files where file.hasSuffix(".txt") && tree.has(file) {
            if try tree.text(file).contains("/whl/cpu") { return nil }
        }
        for entry in requirements.entries {
            guard let name = entry.name, !entry.text.contains("+cpu") else { continue }
            let extras = extras(of: entry.text)
            for line in table {
                let wanted = Self.extras(of: line)
                guard Requirements.name(of: line) == name, wanted.isSubset(of: extras) else { continue }
                let shown = wanted.isEmpty ? name : "\(name)[\(wanted.sorted().joined(separator: ","))]"
                return "\(shown) in \(entry.file) line \(entry.line) needs CUDA"
            }
        }
        return nil
    }

    private static func extras(of requirement: String) -> Set<String> {
        guard let open = requirement.firstIndex(of: "["), let close = requirement[open...].firstIndex(of: "]") else { return [] }
        return Set(requirement[requirement.index(after: open)..<close].split(separator: ",").map { String($0).trimmed.lowercased() })
    }
}
