import Glibc

/// The program that git runs as `pre-receive` (githooks(5)): asks the platform over its private socket and prints what
/// it says, which git relays to the pusher's terminal.
///
/// Plain blocking system calls: it starts with every push and lives as long as the deploy.
package enum PreReceiveHook {
    /// - Returns: the exit code; anything but 0 makes git refuse the whole push.
    package static func main() async -> Int32 {
        guard let socketPath = variable(HookMessage.socketVariable), let token = variable(HookMessage.tokenVariable) else {
            say("this hook only runs inside a push to the platform")
            return 1
        }
        let quarantine = variable("GIT_QUARANTINE_PATH") ?? HookMessage.noQuarantine
        var request = Array("\(HookMessage.greeting)\n\(token)\n\(quarantine)\n".utf8)
        // githooks(5): git allows no line end in an option.
        for index in 0..<min(16, variable("GIT_PUSH_OPTION_COUNT").flatMap { Int($0) } ?? 0) {
            request += Array("\(HookMessage.optionPrefix)\(variable("GIT_PUSH_OPTION_\(index)") ?? "")\n".utf8)
        }
        guard readAll(from: 0, into: &request) else {
            say("this push changes too many branches and tags at once; push some of them at a time")
            return 1
        }
        request.append(0x0A)
        let platform = connectToSocket(at: socketPath)
        guard platform >= 0, writeAll(request[...], to: platform) else {
            say("the platform does not answer; try again in a moment")
            return 1
        }
        return relay(from: platform)
    }

    /// Prints the platform's lines until its verdict.
    private static func relay(from platform: Int32) -> Int32 {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            // SAFETY: read fills at most the buffer's own count.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(platform, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                say("the platform stopped in the middle of this push; nothing was deployed, push again")
                return 1
            }
            pending += chunk[..<count]
            while let end = pending.firstIndex(of: 0x0A) {
                let line = pending[..<end]
                if line.elementsEqual(HookMessage.accept.utf8) { return 0 }
                if line.elementsEqual(HookMessage.reject.utf8) { return 1 }
                // A terminal that is gone ends the hook, and with it the deploy.
                guard writeAll(line.dropFirst(HookMessage.linePrefix.utf8.count) + [0x0A], to: 2) else { return 1 }
                pending.removeSubrange(...end)
            }
        }
    }

    private static func say(_ text: String) { _ = writeAll(Array("\(text)\n".utf8)[...], to: 2) }

    private static func variable(_ name: String) -> String? {
        // SAFETY: nothing in this single-threaded program changes the environment while the string is copied.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    private static func readAll(from descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < HookMessage.maximumBytes {
            // SAFETY: read fills at most the buffer's own count.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return true }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            bytes += chunk[..<count]
        }
        return false
    }

    private static func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            // SAFETY: write reads at most the buffer's own count.
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func connectToSocket(at path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
            // SAFETY: copied only where it fits with its closing zero, which the zeroed field already has.
            guard path.utf8.count < field.count else { return false }
            unsafe field.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { return -1 }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return -1 }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        // SAFETY: a sockaddr_un is what an AF_UNIX socket takes as its sockaddr, of this size.
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
        }
        return result == 0 ? descriptor : -1
    }
}
