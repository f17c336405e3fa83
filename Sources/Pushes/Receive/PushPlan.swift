import Models

/// What a push's ref updates come to: which one deploys, which are only kept. Pure.
struct PushPlan: Sendable, Equatable {
    /// The update to deploy; at most one.
    var deploy: RefUpdate?
    /// The deploy branch without "refs/heads/"; nil where there is none yet and the push brings none.
    var branch: String?
    /// Lines for the pusher about the rest.
    var notes: [String] = []

    /// An app deploys from one of these, whichever was deployed first.
    static let branches = ["main", "master"]

    /// - Parameter deployBranch: the app's, nil before its first deploy.
    /// - Throws: `forbidden` where the push would delete the deploy branch.
    init(_ updates: [RefUpdate], deployBranch: String?) throws(MoorError) {
        branch = deployBranch ?? Self.branches.first { name in updates.contains { $0.ref == "refs/heads/\(name)" && $0.new != nil } }
        let deployRef = branch.map { "refs/heads/\($0)" }
        for update in updates where update.ref == deployRef {
            guard update.new != nil else {
                throw MoorError(
                    .forbidden, "\(update.title) is what this app deploys from and cannot be deleted",
                    hint: "delete the app itself, or push another commit to it")
            }
            deploy = update
        }
        let others = updates.filter { $0.ref != deployRef }
        notes = others.prefix(20).map { $0.new == nil ? "removed: \($0.title)" : "kept, not deployed: \($0.title)" }
        if others.count > 20 { notes.append("… and \(others.count - 20) more") }
        guard deploy == nil, others.contains(where: { $0.new != nil }) else { return }
        if let branch {
            notes.append("only branch \(branch) deploys; to deploy this one: git push <remote> <branch>:\(branch)")
        } else {
            notes.append("nothing was deployed: an app deploys from main or master, whichever comes first")
            notes.append("to deploy the branch you are on: git push <remote> HEAD:main")
        }
    }
}
