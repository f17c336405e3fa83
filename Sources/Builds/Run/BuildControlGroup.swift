import Foundation
import Models

/// The control group of one Dockerfile's build. The engine puts into it what the build runs, and we end that by it: an
/// engine that is told to stop a build (Podman 4.3) leaves the command of its step running.
///
/// Works where the engine shares our view of the host's processes; elsewhere there is nothing to be found, and nothing is done.
struct BuildControlGroup: Sendable, Hashable {
    var name: String

    static func prefix(_ platformID: String) -> String { "moor-\(platformID)-dockerfile-" }

    init(platformID: String, buildID: BuildID) { name = "\(Self.prefix(platformID))\(buildID)" }

    private init(name: String) { self.name = name }

    /// Those that an earlier run left.
    static func all(platformID: String, root: String = Self.root) -> [BuildControlGroup] {
        let prefix = prefix(platformID)
        let names = roots(root).flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
        return Set(names.filter { $0.hasPrefix(prefix) }).sorted().map(BuildControlGroup.init(name:))
    }

    private static let root = "/sys/fs/cgroup"

    /// One hierarchy, or one for each controller (cgroup v1 and the hybrid layout).
    private static func roots(_ root: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return [root] + names.map { "\(root)/\($0)" }.filter { FileManager.default.fileExists(atPath: "\($0)/cgroup.procs") }
    }

    /// Its folders, the deepest first.
    private var folders: [String] {
        Self.roots(Self.root).map { "\($0)/\(name)" }.filter { FileManager.default.fileExists(atPath: $0) }.flatMap { folder in
            let below = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
                .map { "\(folder)/\($0)" }.filter { FileManager.default.fileExists(atPath: "\($0)/cgroup.procs") }
            return ([folder] + below).sorted { $0.count > $1.count }
        }
    }

    var processes: Set<Int32> {
        Set(
            folders.flatMap { folder in
                ((try? String(contentsOfFile: "\(folder)/cgroup.procs", encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
                    Int32($0)
                }
            })
    }

    /// Kills all that runs in it.
    func end() {
        for process in processes where process > 1 { _ = kill(process, SIGKILL) }
    }

    /// Takes away what of it is empty.
    func remove() {
        for folder in folders { _ = unsafe rmdir(folder) }
    }
}
