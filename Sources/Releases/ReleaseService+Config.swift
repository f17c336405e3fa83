package import Models
import Store

extension ReleaseService {
    /// Changes config. Where the app has a live release, that one's image and the new config become a release that is
    /// rolled out, and the change counts once that is live: one that does not come up leaves the config as it was.
    /// - Returns: the new release's number; nil where the app has no live release, or nothing changes.
    /// - Throws: `invalid` for a bad name or too large a value; else as `deploy`.
    package func setConfig(
        appID: AppID, set: [String: String], unset: [String], by principal: Principal, log: DeployLog
    ) async throws(MoorError) -> Int? {
        try ConfigRules.validate(set)
        for name in unset {
            try ConfigRules.validate(name: name)
            guard set[name] == nil else { throw MoorError(.invalid, "\(name) is both set and unset", hint: "name it once") }
        }
        return try await exclusively(appID, log: log) { (change) async throws(MoorError) -> Int? in
            let current = try await self.config(appID: appID)
            let config = current.merging(set) { $1 }.filter { !unset.contains($0.key) }
            guard config != current else {
                await change.log.line("the config is that already; nothing to do")
                return nil
            }
            try ConfigRules.validate(config)
            guard let live = try await self.desiredState(of: appID)?.live else {
                let sealer = try await self.environment().sealer
                try await self.store.write { db in try Self.replaceConfig(of: appID, with: config, sealer, db) }
                return nil
            }
            let draft = ReleaseDraft(
                imageID: live.release.imageID, formation: live.release.formation, config: .given(config), cause: .config,
                description: Self.describe(from: current, to: config), userID: principal.userID, pushID: live.release.pushID)
            let release = try await self.createRelease(draft, appID: appID)
            return try await self.rollOut(release, as: .whole, change: change)
        }
    }

    /// The app's config, opened.
    package func config(appID: AppID) async throws(MoorError) -> [String: String] {
        _ = try await app(appID)
        let sealer = try await environment().sealer
        return try await store.read { db in try Self.currentConfig(of: appID, sealer, db) }
    }

    /// Names only: descriptions are shown to more people than values are.
    static func describe(from old: [String: String], to new: [String: String]) -> String {
        func list(_ names: [String]) -> String {
            names.sorted().prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
        }
        let set = new.keys.filter { old[$0] != new[$0] }
        let unset = old.keys.filter { new[$0] == nil }
        return [set.isEmpty ? nil : "set \(list(set))", unset.isEmpty ? nil : "unset \(list(unset))"].compactMap(\.self)
            .joined(separator: ", ")
    }
}
