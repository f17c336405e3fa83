import Foundation
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension EngineProcess {
    /// Ends the Podman services that an earlier, killed process of ours left on the socket. They are found by their command
    /// line in /proc, which no reused process id can have by chance.
    static func endOthers(on socket: String, logger: Logger) async {
        let found = others(on: socket)
        guard !found.isEmpty else { return }
        logger.notice("replacing the container engine that an earlier start left", metadata: ["pids": "\(found)"])
        for pid in found { kill(pid, SIGTERM) }
        for round in 0..<60 {
            let left = others(on: socket)
            if left.isEmpty { return }
            // Open event streams keep it from ending by itself.
            if round == 10 { for pid in left { kill(pid, SIGKILL) } }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    private static func others(on socket: String) -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { entry in
            guard let pid = pid_t(entry), let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return nil }
            let arguments = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            let isService = arguments.first.map { ($0 as NSString).lastPathComponent == "podman" } ?? false
            return isService && arguments.contains("service") && arguments.last == "unix://\(socket)" ? pid : nil
        }
    }
}
