import GRDB
import Logging
import Models
import Store

extension BuildService {
    /// Writes down what the build's image stands on, so that it stays for the next push, and what is installed in it.
    func stands(_ id: BuildID, on ground: BuildRun.Ground) async throws {
        try await store.write { db in
            _ = try BuildRecord.filter(key: id).updateAll(
                db, Column("layer").set(to: ground.reference), Column("layerID").set(to: ground.id))
        }
        if ground.isNew { upkeep.isDue = true }
        // A build does not fail for want of it.
        if let inventory = ground.inventory { try? await keepInventory(inventory, of: ground.id) }
    }

    /// As the earlier build whose image is used again.
    func standsAsBefore(_ id: BuildID, _ earlier: BuildID) async throws {
        try await store.write { db in
            try db.execute(
                sql: """
                    UPDATE builds SET (layer, layerID) = (SELECT layer, layerID FROM builds AS earlier WHERE earlier.id = ?) WHERE id = ?
                    """, arguments: [earlier, id])
        }
    }
}
