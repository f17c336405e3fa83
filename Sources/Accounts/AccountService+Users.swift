import Foundation
import GRDB
import Logging
package import Models
import Store

extension AccountService {
    package func users() async throws(MoorError) -> [UserSummary] {
        try await store.read { db in
            var groups: [UserID: [String]] = [:]
            for row in try Row.fetchAll(
                db, sql: "SELECT m.userID, g.name FROM memberships m JOIN groups g ON g.id = m.groupID ORDER BY g.name")
            {
                groups[row["userID"], default: []].append(row["name"])
            }
            return try UserRecord.order(Column("username")).fetchAll(db).map { user in
                UserSummary(
                    username: user.username, name: user.name, email: user.email, role: user.role, groups: groups[user.id!] ?? [])
            }
        }
    }

    package func addUser(_ user: UserSummary, password: String) async throws(MoorError) {
        try Username.validate(user)
        try Username.validate(password: password)
        let hash = try await hasher.hash(password)
        let createdAt = clock()
        try await store.write { db in
            guard try UserRecord.filter(Column("username") == user.username).isEmpty(db) else {
                throw MoorError(.conflict, "there is a user “\(user.username)” already", hint: "choose another user name")
            }
            var record = UserRecord(
                username: user.username, name: user.name, email: user.email, passwordHash: hash, role: user.role, createdAt: createdAt)
            try record.insert(db)
            for group in Set(user.groups) {
                try db.execute(sql: "INSERT INTO groups (name) VALUES (?) ON CONFLICT DO NOTHING", arguments: [group])
                try db.execute(
                    sql: "INSERT INTO memberships (userID, groupID) SELECT ?, id FROM groups WHERE name = ?", arguments: [record.id, group])
            }
        }
        logger.info("user added", metadata: ["user": "\(user.username)", "role": "\(user.role.rawValue)"])
    }

    package func removeUser(_ username: String) async throws(MoorError) {
        try await store.write { db in
            let user = try UserRecord.named(username, db)
            if user.role == .admin,
                try UserRecord.filter(Column("role") == PlatformRole.admin && Column("disabledAt") == nil && Column("id") != user.id)
                    .isEmpty(db)
            {
                throw MoorError(
                    .conflict, "“\(user.username)” is the last admin and cannot be removed", hint: "add another admin first")
            }
            let apps = try AppRecord.filter(Column("ownerID") == user.id).order(Column("name")).fetchAll(db).map(\.name.rawValue)
            guard apps.isEmpty else {
                throw MoorError(
                    .conflict,
                    "“\(user.username)” owns \(apps.count == 1 ? "an app" : "\(apps.count) apps"): \(apps.prefix(5).joined(separator: ", "))",
                    hint: "delete the apps first")
            }
            // Tokens, sessions and memberships go with the row.
            try user.delete(db)
        }
        await forgetViewers()
        logger.info("user removed", metadata: ["user": "\(Username.printable(username))"])
    }

    package func setPassword(_ username: String, password: String) async throws(MoorError) {
        try Username.validate(password: password)
        let hash = try await hasher.hash(password)
        try await store.write { db in
            let user = try UserRecord.named(username, db)
            try db.execute(sql: "UPDATE users SET passwordHash = ? WHERE id = ?", arguments: [hash, user.id])
            // Whoever knew the old password may hold a session; tokens are separate credentials and stay.
            try SessionRecord.filter(Column("userID") == user.id).deleteAll(db)
        }
        await forgetViewers()
        logger.info("password changed", metadata: ["user": "\(Username.printable(username))"])
    }

    /// Makes the user `admin` where the platform has no admin yet.
    /// - Parameter password: nil for a random one.
    /// - Returns: the random password, to be shown this once; nil where one was given or nothing was done.
    package func ensureAdmin(password: String?) async throws(MoorError) -> String? {
        let exists = try await store.read {
            try !UserRecord.filter(Column("role") == PlatformRole.admin && Column("disabledAt") == nil).isEmpty($0)
        }
        guard !exists else { return nil }
        let chosen = password ?? Self.randomPassword()
        do {
            try await addUser(UserSummary(username: "admin", name: "", email: "", role: .admin, groups: []), password: chosen)
        } catch  where error.code == .invalid {
            throw MoorError(.invalid, "the admin's first password cannot be used: \(error.message)", hint: error.hint)
        }
        return password == nil ? chosen : nil
    }

    /// 100 bits in four groups that can be read out and typed: no letter looks like another or like a digit.
    static func randomPassword() -> String {
        let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789x".prefix(31))
        var generator = SystemRandomNumberGenerator()
        let groups = (0..<4).map { _ in String((0..<5).map { _ in alphabet.randomElement(using: &generator)! }) }
        return groups.joined(separator: "-")
    }

    /// After any change to what credentials or sessions are worth.
    func forgetViewers() async {
        verified.void()
        await viewersChanged()
    }
}
