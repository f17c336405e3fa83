package import Models

/// What builds ask of the other stations, which come after them; Platform attaches it before the first build.
package struct BuildSurroundings: Sendable {
    /// The app's build config, opened. Given to the commands of its builds and kept nowhere.
    package var values: @Sendable (AppID) async throws(MoorError) -> [String: String]
    /// The engine's network for the build in that slot (from zero), where it runs commands.
    package var network: @Sendable (_ slot: Int) async throws(MoorError) -> String
    /// What admins let the app have at most.
    package var ceilings: @Sendable (AppID) async throws(MoorError) -> [Ceiling]

    package init(
        values: @escaping @Sendable (AppID) async throws(MoorError) -> [String: String] = { _ throws(MoorError) in [:] },
        network: @escaping @Sendable (_ slot: Int) async throws(MoorError) -> String = { _ throws(MoorError) in "bridge" },
        ceilings: @escaping @Sendable (AppID) async throws(MoorError) -> [Ceiling] = { _ throws(MoorError) in [] }
    ) {
        self.values = values
        self.network = network
        self.ceilings = ceilings
    }
}

extension BuildService {
    /// To be called before the first build.
    package func attach(_ surroundings: BuildSurroundings) { self.surroundings = surroundings }
}
