import Models

/// A TCP socket that listens, as /proc/<pid>/net/tcp and tcp6 (proc_pid_net(5)) show it.
struct Listener: Hashable, Sendable {
    var port: Int
    var isLoopback: Bool

    /// - Parameter table: the text of /proc/<pid>/net/tcp or tcp6.
    static func parse(_ table: String) -> [Listener] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            // Field 3 is the state; 0A is LISTEN.
            guard fields.count > 3, fields[3] == "0A" else { return nil }
            let local = fields[1].split(separator: ":")
            guard local.count == 2, let port = Int(local[1], radix: 16) else { return nil }
            let address = local[0].uppercased()
            // Words are in the host's byte order: on the little-endian machines we run on, 127.x.y.z ends in 7F.
            let isLoopback =
                address.count == 8
                ? address.hasSuffix("7F")
                : address == "00000000000000000000000001000000"
                    || (address.hasPrefix("0000000000000000FFFF0000") && address.hasSuffix("7F"))
            // Docker's resolver inside each container, 127.0.0.11.
            if address == "0B00007F" { return nil }
            return Listener(port: port, isLoopback: isLoopback)
        }
    }
}

/// Why a replica gives no good answer, in words for the person who wrote the app.
func unhealthyReason(check: HealthCheck, port: Int = webPort, outcome: ProbeOutcome?, listeners: [Listener]) -> String {
    switch outcome {
    case .answered(let status): return "answers \(status) on \(check.path)"
    case .silent: return "takes connections on $PORT (\(port)) but gives no answer on \(check.path)"
    case .exited(137): return "its check command was killed, or did not end in its time"
    case .exited(let code): return "its check command ended with exit code \(code)"
    case .refused, .connected, nil: break
    }
    let nothing = "nothing listens on $PORT (\(port))"
    let open = Set(listeners.filter { !$0.isLoopback }.map(\.port)).sorted()
    let closed = Set(listeners.filter(\.isLoopback).map(\.port)).subtracting(open).sorted()
    if open.contains(port) { return "takes no connection on $PORT (\(port))" }
    if closed.contains(port) { return "\(nothing); the process listens on 127.0.0.1:\(port) only; bind 0.0.0.0" }
    if !open.isEmpty { return "\(nothing); the process listens on \(words(open))" }
    if !closed.isEmpty { return "\(nothing); the process listens on \(words(closed)) (on 127.0.0.1 only; bind 0.0.0.0)" }
    return nothing
}

private func words(_ ports: [Int]) -> String {
    let shown = ports.prefix(4).map(String.init)
    return shown.count == 1 ? shown[0] : shown.dropLast().joined(separator: ", ") + " and " + shown[shown.count - 1]
}

/// Why a container ended, for people.
/// - Parameter peak: bytes that it used when it was killed for memory, where the kernel told.
func exitReason(code: Int, outOfMemory: Bool, peak: Int64? = nil, resources: Resources) -> String {
    if outOfMemory {
        let cap = Quantity.text(bytes: resources.memoryBytes)
        // The kernel counts pages: the last one may not have fitted.
        let isAll = peak.map { $0 >= resources.memoryBytes - resources.memoryBytes / 50 } ?? true
        return "ran out of memory: it used \(isAll ? "all of its \(cap)" : "\(Quantity.text(bytes: peak ?? 0)), its cap is \(cap)")"
    }
    return switch code {
    case 0: "ended by itself (exit code 0)"
    case 126: "its command could not be executed (exit code 126)"
    case 127: "its command was not found (exit code 127)"
    case 128...: "was killed by signal \(code - 128) (exit code \(code))"
    default: "exited with code \(code)"
    }
}
