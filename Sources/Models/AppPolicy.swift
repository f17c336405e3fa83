/// Acts on one app that need permission.
package enum AppAction: Sendable, CaseIterable {
    /// Look at the running app.
    case view
    /// Read its releases, logs, config names, source (git fetch).
    case inspect
    /// Push, scale, roll back, change config.
    case operate
    /// Run commands in its surroundings, which shows them its secrets.
    case runCommands
    /// Change access, collaborators, delete.
    case govern
}

/// Who may do what to an app. Pure, so that git, API, panel and gateway agree.
package enum AppPolicy {
    /// - Parameters:
    ///   - principal: nil for an anonymous viewer.
    ///   - appRole: what the principal is to this app; nil where nothing.
    package static func allows(_ action: AppAction, principal: Principal?, appRole: AppRole?, access: AccessMode) -> Bool {
        if let principal, principal.isAdmin { return true }
        switch action {
        case .view:
            switch access {
            case .public: return true
            case .signedIn: return principal != nil
            case .named: return principal != nil && appRole != nil
            }
        case .inspect, .operate, .runCommands:
            guard principal != nil, let appRole else { return false }
            return appRole >= .collaborator
        case .govern:
            return principal != nil && appRole == .owner
        }
    }

    /// Pushing to a name that does not exist yet creates the app.
    package static func mayCreateApps(_ principal: Principal) -> Bool { principal.role != .viewer }
}
