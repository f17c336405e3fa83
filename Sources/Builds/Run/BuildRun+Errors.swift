import Engine
import Models

extension BuildRun {
    static let diskFull = MoorError(
        .unavailable, "the disk of the container engine is full", hint: "the platform's admin must free some space; then push again")

    /// What the engine refuses as an error for people.
    static func forPeople(_ error: any Error) -> MoorError {
        if let error = error as? Unexplained { return error.forPeople }
        guard let refusal = error as? EngineClient.Refusal else {
            return .wrapping(error, "the build stopped because of a fault of the platform")
        }
        if refusal.message.contains("no space left on device") { return diskFull }
        if refusal.status == 404 {
            return MoorError(
                .unavailable, "the container engine lost an image or a container of the build", hint: "push again", cause: refusal)
        }
        return MoorError(
            .unavailable, "the container engine refused a step of the build",
            hint: "push again; if it stays so, the platform's admin must look at the engine", cause: refusal)
    }
}
