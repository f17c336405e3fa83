import GRDB
import Models
import Store

/// The account of a signed-in user.
enum AccountModel {
    static func user(_ id: UserID, _ db: Database) throws -> UserSummary {
        guard let user = try UserRecord.filter(Column("id") == id).fetchOne(db) else {
            throw MoorError(.notFound, "This account was removed", hint: "Ask an admin.")
        }
        let groups = try String.fetchAll(
            db, sql: "SELECT g.name FROM memberships m JOIN groups g ON g.id = m.groupID WHERE m.userID = ? ORDER BY g.name",
            arguments: [id])
        return UserSummary(username: user.username, name: user.name, email: user.email, role: user.role, groups: groups)
    }
}
