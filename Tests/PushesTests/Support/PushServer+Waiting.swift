import Foundation
import GRDB
import Store

@testable import Pushes

extension PushServer {
    /// Returns when the rows of all pushes satisfy the condition; the database tells.
    func untilPushes(_ condition: @escaping @Sendable ([PushRecord]) -> Bool) async throws {
        let changes = ValueObservation.tracking { db in try PushRecord.order(Column("id")).fetchAll(db).map(\.state) }
        for try await _ in changes.values(in: store.pool) where condition(try await pushes()) { return }
    }

    /// Processes of this server's pushes: git, its helpers and the hook, by the socket in their environment.
    func processes(named name: String? = nil) -> [Int32] {
        let socket = Data(service.configuration.hookSocket.utf8)
        return ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
            guard let environment = try? Data(contentsOf: URL(filePath: "/proc/\(pid)/environ")), environment.range(of: socket) != nil
            else { return false }
            let command = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
            return name.map(command.contains) ?? true
        }
    }

    /// Looks until the condition holds, for what nothing tells about (files, processes); false after half a minute.
    func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<1500 {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}
