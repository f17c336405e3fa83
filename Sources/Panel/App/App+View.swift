import Models
import Store

/// The page of one app.
struct AppView {
    struct Replica {
        var name: String
        var state: String
        var kind: String
        var reason: String?
        var release: String
        var restarts: String
        var since: Moment?
    }

    struct Process {
        var name: String
        var replicas: Int
    }

    struct Release {
        var number: Int
        var title: String
        var about: String
        var by: String
        var moment: Moment
        var state: String
        var kind: String
        var failure: String?
        var isLive: Bool
        var mayRollBack: Bool
    }

    struct Push {
        var path: String
        var commit: String
        var subject: String
        var by: String
        var moment: Moment
        var outcome: String
        var kind: String
        var failure: String?
        var hasLog: Bool
        var took: String?
    }

    struct Person {
        var username: String
        var role: String
    }

    struct Access {
        var mode: String
        var title: String
        var about: String
        var isChosen: Bool
    }

    var name: String
    var path: String
    var url: String
    var shownURL: String
    var gitURL: String
    var owner: String
    var health: Health
    var release: String?
    var mayOperate: Bool
    var mayGovern: Bool
    var replicas: [Replica]
    var hasReplicas: Bool
    var processes: [Process]
    var mayScale: Bool
    var releases: [Release]
    var hasReleases: Bool
    var pushes: [Push]
    var hasPushes: Bool
    var configNames: [String]
    var hasConfig: Bool
    var people: [Person]
    var access: [Access]
    var accessTitle: String
}
