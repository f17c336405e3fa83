import Models
import Store

/// The page of one push: what became of it, and its build's log.
struct BuildView {
    var app: String
    var appPath: String
    var push: AppView.Push
    var buildpack: String?
    var reason: String?
    var log: String
    var hasLog: Bool
    var isOpen: Bool

    init(_ model: BuildModel, log: String?, now: Double) {
        app = model.app.name.rawValue
        appPath = "/apps/\(app)"
        push = AppView.Push(model.push, app: model.app.name, by: model.pusher, hasLog: log != nil, now: now)
        buildpack = model.build?.buildpack
        reason = model.build?.reason
        self.log = log ?? ""
        hasLog = !self.log.isEmpty
        isOpen = model.push.endedAt == nil
    }
}
