import Foundation

/// What the API answers, as far as it is shown in tables.
enum Answers {
    struct Me: Decodable {
        var username: String
        var name: String
        var role: String
    }

    struct NewToken: Decodable {
        var name: String
        var token: String
        var username: String
        var expiresAt: Date?
    }

    struct App: Decodable {
        var name: String
        var url: String
        var owner: String
        var role: String?
        var access: String
        var release: Int?
    }
    struct Apps: Decodable { var apps: [App] }

    struct Replica: Decodable {
        var name: String
        var release: Int
        var state: String
        var reason: String?
        var restarts: Int
        var startedAt: Date?
    }
    struct Replicas: Decodable { var replicas: [Replica] }

    struct Resources: Decodable {
        var process: String
        var cpuMillis: Int
        var memoryBytes: Int64
        var pids: Int
        var diskBytes: Int64?
        var gpus: Int
        var sources: [String: String]
        var setBy: String?
    }
    struct AllResources: Decodable { var processes: [Resources] }

    struct Quota: Decodable {
        var scope: String
        var name: String?
        var cpuMillis: Int?
        var memoryBytes: Int64?
        var gpus: Int?
        var replicas: Int?
        var apps: Int?
        var usedCPUMillis: Int?
        var usedMemoryBytes: Int64?
        var usedGPUs: Int?
        var usedReplicas: Int?
        var usedApps: Int?
    }
    struct Quotas: Decodable { var quotas: [Quota] }
    struct Command: Decodable {
        var name: String
        var release: Int
        var program: String
        var user: String
        var state: String
        var reason: String?
        var startedAt: Date?
    }
    struct Commands: Decodable { var commands: [Command] }

    struct LogLine: Decodable {
        var replica: String?
        var text: String?
        var error: PlatformClient.Told?
    }

    struct Release: Decodable {
        var number: Int
        var state: String
        var description: String
        var user: String?
        var commit: String?
        var createdAt: Date
    }
    struct Releases: Decodable { var releases: [Release] }

    struct Rollout: Decodable {
        struct Process: Decodable {
            var name: String
            var oldReady: Int
            var oldWanted: Int
            var newReady: Int
            var newWanted: Int
        }
        struct Traffic: Decodable {
            var release: Int
            var requests: Int
            var errors: Int
            var p50Milliseconds: Int?
            var p95Milliseconds: Int?
        }
        var phase: String
        var live: Int?
        var release: Int?
        var since: Date?
        var waitingFor: String?
        var newShare: Int?
        var processes: [Process]
        var traffic: [Traffic]
    }

    struct Config: Decodable {
        var config: [String: String]
        var build: [String]?
    }

    struct DiskUse: Decodable {
        var app: String
        var images: Int
        var imageBytes: Int64
        var layers: Int
        var layerBytes: Int64
        var cacheBytes: Int64
        var ownBytes: Int64
        var sharedBytes: Int64
    }
    struct Images: Decodable {
        var apps: [DiskUse]
        var sharedBytes: Int64?
        var totalBytes: Int64?
    }

    struct NamedUser: Decodable {
        var username: String
        var role: String
    }
    struct Access: Decodable {
        var mode: String
        var owner: String
        var users: [NamedUser]
    }

    struct User: Decodable {
        var username: String
        var name: String
        var email: String
        var role: String
        var groups: [String]
    }
    struct Users: Decodable { var users: [User] }

    struct Token: Decodable {
        var name: String
        var createdAt: Date
        var lastUsedAt: Date?
        var expiresAt: Date?
    }
    struct Tokens: Decodable { var tokens: [Token] }
}
