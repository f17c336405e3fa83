import Models
import Testing

@testable import Releases

struct CommandSetTests {
    @Test func `a command is like a process of the live release, with its config`() async throws {
        try await Harbour.with { harbour async throws in
            let service = harbour.service
            let early = try await refusal { _ = try await service.commandSet(appID: harbour.appID, process: nil, environment: [:]) }
            #expect(early.code == .conflict)
            try await harbour.push([ProcessSpec(name: "worker", command: "celery"), ProcessSpec(name: "web", command: "gunicorn")])
            _ = try await service.setConfig(
                appID: harbour.appID, set: ["COLOUR": "blue"], unset: [], by: harbour.admin, log: .discard)
            let usual = try await service.commandSet(appID: harbour.appID, process: nil, environment: ["DRY": "1"])
            #expect(usual.app.rawValue == "sales")
            #expect(usual.set.process.name == "web")
            #expect(usual.set.releaseNumber == 2)
            #expect(usual.set.environment["COLOUR"] == "blue")
            #expect(usual.set.environment["MOOR_RELEASE"] == "v2")
            let worker = try await service.commandSet(appID: harbour.appID, process: "worker", environment: [:])
            #expect(worker.set.process.command == "celery")
            let unknown = try await refusal { _ = try await service.commandSet(appID: harbour.appID, process: "clock", environment: [:]) }
            #expect(unknown.hint == "it has worker, web")
            for name in ["PORT", "MOOR_APP", "A-B", ""] {
                let refused = try await refusal {
                    _ = try await service.commandSet(appID: harbour.appID, process: nil, environment: [name: "x"])
                }
                #expect(refused.code == .invalid, "\(name)")
            }
        }
    }
}
