import Models
import Store

extension AppView {
    init(_ model: AppModel, replicas statuses: [ReplicaStatus], panelURL: String, appURL: String, now: Double) {
        let (record, live) = (model.record, model.live)
        let ready = statuses.count { $0.releaseID == record.liveReleaseID && $0.state == .ready }
        name = record.name.rawValue
        path = "/apps/\(record.name)"
        url = appURL
        shownURL = OverviewView.withoutScheme(appURL)
        gitURL = "\(panelURL)/git/\(record.name).git"
        owner = model.owner
        health = Health(release: live, push: model.pushes.first, ready: ready, desired: model.desired.reduce(0) { $0 + $1.replicas })
        release = live.map { "v\($0.number)" }
        mayOperate = model.mayOperate
        mayGovern = model.mayGovern
        replicas = statuses.sorted { ($0.process, $0.releaseNumber, $0.ordinal) < ($1.process, $1.releaseNumber, $1.ordinal) }
            .map { Replica($0, now: now) }
        hasReplicas = !replicas.isEmpty
        processes = model.desired.map { Process(name: $0.process, replicas: $0.replicas) }
        mayScale = mayOperate && !processes.isEmpty
        releases = model.releases.map { release in
            Release(
                release, by: release.userID.flatMap { model.names[$0] },
                mayRollBack: model.mayOperate && release.state == .superseded && model.keptImages.contains(release.imageID), now: now)
        }
        hasReleases = !releases.isEmpty
        pushes = model.pushes.map { push in
            Push(
                push, app: record.name, by: push.userID.flatMap { model.names[$0] },
                hasLog: push.id.map(model.pushesWithBuild.contains) ?? false, now: now)
        }
        hasPushes = !pushes.isEmpty
        configNames = model.configNames
        hasConfig = !configNames.isEmpty
        people = model.people.map { Person(username: $0.username, role: $0.role.rawValue) }
        access = AccessMode.allCases.map { mode in
            Access(mode: mode.rawValue, title: mode.title, about: mode.about, isChosen: mode == record.access)
        }
        accessTitle = record.access.title
    }
}

extension AppView.Replica {
    init(_ status: ReplicaStatus, now: Double) {
        name = status.name
        release = "v\(status.releaseNumber)"
        restarts = status.restarts == 0 ? "" : status.restarts == 1 ? "restarted once" : "restarted \(status.restarts) times"
        since = status.startedAt.map { Moment($0, now: now) }
        (state, kind, reason) =
            switch status.state {
            case .pending(let why): ("Pending", "busy", "it \(why)")
            case .starting: ("Starting", "busy", nil)
            case .ready: ("Ready", "good", nil)
            case .backingOff(let code, let why, let retry):
                ("Backing off", "bad", "\(why)\(code.map { " (exit code \($0))" } ?? ""); next start in \(retry) s")
            case .crashLooping(let code, let why, let retry):
                ("Crash looping", "bad", "\(why)\(code.map { " (exit code \($0))" } ?? ""); next start in \(retry) s")
            case .unhealthy(let why): ("Unhealthy", "bad", why)
            case .stopping: ("Stopping", "idle", nil)
            }
    }
}

extension AppView.Release {
    init(_ record: ReleaseRecord, by: String?, mayRollBack: Bool, now: Double) {
        number = record.number
        title = "v\(record.number)"
        about = record.description
        self.by = by ?? "someone"
        moment = Moment(record.createdAt, now: now)
        failure = record.failure
        isLive = record.state == .live
        self.mayRollBack = mayRollBack
        (state, kind) =
            switch record.state {
            case .rolling: ("Rolling out", "busy")
            case .live: ("Live", "good")
            case .superseded: ("Superseded", "idle")
            case .failed: ("Failed", "bad")
            }
    }
}

extension AppView.Push {
    init(_ record: PushRecord, app: AppName, by: String?, hasLog: Bool, now: Double) {
        path = "/apps/\(app)/pushes/\(record.id!)"
        commit = String(record.afterCommit.prefix(7))
        subject = record.subject.isEmpty ? "(no message)" : record.subject
        self.by = by ?? "someone"
        moment = Moment(record.startedAt, now: now)
        failure = record.failure
        self.hasLog = hasLog
        took = record.endedAt.map { Self.duration($0 - record.startedAt) }
        (outcome, kind) =
            switch record.state {
            case .waiting: ("Waiting", "busy")
            case .deploying: ("Deploying", "busy")
            case .accepted: ("Deployed", "good")
            case .rejected: ("Rejected", "bad")
            case .cancelled: ("Cancelled", "idle")
            }
    }

    static func duration(_ seconds: Double) -> String {
        seconds < 10
            ? "\(Int((seconds * 10).rounded()) / 10).\(Int((seconds * 10).rounded()) % 10) s"
            : seconds < 120 ? "\(Int(seconds)) s" : "\(Int(seconds / 60)) min"
    }
}

extension AccessMode {
    var title: String {
        switch self {
        case .public: "Everybody"
        case .signedIn: "Everybody who signs in"
        case .named: "Named people"
        }
    }

    var about: String {
        switch self {
        case .public: "No sign-in. Whoever knows the address may look."
        case .signedIn: "Every account on this platform."
        case .named: "The owner and the people listed below."
        }
    }
}
