package import Models
import Synchronization

/// Commands without containers: each does what the test says, in the session it is given.
package final class PlainCommands: CommandOperations {
    package typealias Work = @Sendable (_ what: String, CommandOrder, CommandSession) async throws(MoorError) -> CommandEnd

    private let work: Mutex<Work>
    private let oneOff = OneOff(
        name: "run.1", appID: AppID(1), releaseNumber: 1, process: "web", program: "python", user: "ada", isDetached: true, startedAt: 0)

    package init(_ work: @escaping Work = { _, _, _ throws(MoorError) in CommandEnd(exitCode: 0) }) { self.work = Mutex(work) }

    /// What every command does from now on.
    package func set(_ work: @escaping Work) { self.work.withLock { $0 = work } }

    package func run(
        _ appID: AppID, process: String?, order: CommandOrder, by principal: Principal, session: CommandSession
    ) async throws(MoorError) -> CommandEnd {
        try await work.withLock(\.self)("run \(process ?? "-") by \(principal.username)", order, session)
    }

    package func exec(
        _ appID: AppID, replica: String?, order: CommandOrder, by principal: Principal, session: CommandSession
    ) async throws(MoorError) -> CommandEnd {
        try await work.withLock(\.self)("exec \(replica ?? "-") by \(principal.username)", order, session)
    }

    package func startOneOff(
        _ appID: AppID, process: String?, order: CommandOrder, by principal: Principal
    ) async throws(MoorError) -> OneOff { oneOff }

    package func oneOffs(_ appID: AppID) async -> [OneOff] { [oneOff] }

    package func stopOneOff(_ appID: AppID, named name: String) async throws(MoorError) {}
}
