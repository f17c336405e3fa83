package import Foundation
import GRDB

/// What is installed in a layer, compressed.
package struct InventoryRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "inventories"

    /// The engine's id of the image that the layer is the top of.
    package var layerID: String
    package var document: Data
    package var createdAt: Double

    package init(
        layerID: String,
        document: Data,
        createdAt: Double
    ) {
        self.layerID = layerID
        self.document = document
        self.createdAt = createdAt
    }
}
