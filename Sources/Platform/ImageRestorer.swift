import Builds
import GRDB
import Models
import Pushes
import Store

/// Has an image built again that the engine lost, from the commit that the platform keeps.
struct ImageRestorer: Sendable {
    var store: DataStore
    var builds: BuildService
    var repositories: Repositories

    func restore(_ reference: String) async throws(MoorError) {
        let push = try await store.read { db -> ReceivedPush? in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT pushes.id AS pushID, pushes.appID, pushes.afterCommit, pushes.subject, apps.name,
                        users.id AS userID, users.username, users.role
                    FROM images JOIN builds ON builds.id = images.buildID JOIN pushes ON pushes.id = builds.pushID
                        JOIN apps ON apps.id = pushes.appID JOIN users ON users.id = coalesce(pushes.userID, apps.ownerID)
                    WHERE images.reference = ? AND images.removedAt IS NULL ORDER BY images.id LIMIT 1
                    """, arguments: [reference])
            return row.map {
                ReceivedPush(
                    pushID: $0["pushID"], appID: $0["appID"], app: $0["name"],
                    pusher: Principal(userID: $0["userID"], username: $0["username"], role: $0["role"], means: .password),
                    commitID: $0["afterCommit"], subject: $0["subject"])
            }
        }
        guard let push else { throw MoorError(.notFound, "no push made the image \(reference)") }
        try await builds.restore(reference, push: push, source: try repositories.source(of: push.appID, commit: push.commitID))
    }
}
