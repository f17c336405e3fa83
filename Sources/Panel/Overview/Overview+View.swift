import Models
import Store

/// The overview page: a shelf of apps.
struct OverviewView {
    struct App {
        var name: String
        var path: String
        var url: String
        var shownURL: String
        var health: Health
        var mayInspect: Bool
        var owner: String
        var release: String?
        var replicas: String
        var push: Push?
    }

    struct Push {
        var subject: String
        var pusher: String
        var moment: Moment
        var rejected: Bool
    }

    var apps: [App]
    var count: Int
    var isEmpty: Bool
    var mayCreate: Bool
    /// For the empty shelf.
    var gitURL: String

    init(_ model: OverviewModel, ready: [AppID: Int], principal: Principal, panelURL: String, appURL: (AppName) -> String, now: Double) {
        apps = model.apps.map { app in
            let url = appURL(app.record.name)
            let ready = ready[app.record.id!] ?? 0
            return App(
                name: app.record.name.rawValue, path: "/apps/\(app.record.name)", url: url, shownURL: Self.withoutScheme(url),
                health: Health(release: app.release, push: app.push, ready: ready, desired: app.desired), mayInspect: app.mayInspect,
                owner: app.owner, release: app.release.map { "v\($0.number)" }, replicas: "\(ready) of \(app.desired)",
                push: app.push.map {
                    Push(
                        subject: $0.subject.isEmpty ? String($0.afterCommit.prefix(7)) : $0.subject, pusher: app.pusher ?? "someone",
                        moment: Moment($0.startedAt, now: now), rejected: $0.state == .rejected)
                })
        }
        count = apps.count
        isEmpty = apps.isEmpty
        mayCreate = AppPolicy.mayCreateApps(principal)
        gitURL = "\(panelURL)/git/"
    }

    static func withoutScheme(_ url: String) -> String { url.replacing(/^https?:\/\//, with: "") }
}

/// One word for how an app is, and the class that colours its dot.
struct Health {
    var word: String
    var kind: String

    init(release: ReleaseRecord?, push: PushRecord?, ready: Int, desired: Int) {
        let isDeploying = push.map { $0.state == .deploying || $0.state == .waiting } ?? false
        (word, kind) =
            switch (release, isDeploying) {
            case (_, true): ("Deploying", "busy")
            case (nil, _): ("No release yet", "idle")
            case (_, _) where desired == 0: ("Scaled to zero", "idle")
            case (_, _) where ready == 0: ("Down", "bad")
            case (_, _) where ready < desired: ("Partly up", "busy")
            default: ("Live", "good")
            }
    }
}
