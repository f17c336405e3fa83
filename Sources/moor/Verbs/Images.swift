import ArgumentParser
import Models

struct Images: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what images, layers and caches take on the platform's disk.",
        discussion: "OWN would be free without the app; SHARED is what it stands on that is not its own, such as the base image.")

    @OptionGroup var client: ClientOptions

    func run() async throws {
        // The engine walks through its caches for this.
        try await client.connect(patience: .seconds(300)) { platform in
            let data = try await platform.send(.get, ["images"])
            if client.json { return try Console.json(data) }
            let answer = try platform.decode(Answers.Images.self, data)
            var table = Table("APP", "OWN", "IMAGES", "PACKAGES", "CACHE", "SHARED")
            for app in answer.apps {
                table.add(
                    .init(app.app, .bold), .init(app.ownBytes.bytes), .init("\(app.imageBytes.bytes) in \(app.images)"),
                    .init("\(app.layerBytes.bytes) in \(app.layers)"), .init(app.cacheBytes.bytes), .init(app.sharedBytes.bytes))
            }
            if let shared = answer.sharedBytes, let total = answer.totalBytes {
                table.add("(shared)", .init(shared.bytes))
                table.add("(all)", .init(total.bytes))
            }
            try table.rows.isEmpty ? Console.note("You have no apps yet.") : table.print()
        }
    }
}

extension Int64 {
    /// As people read it, with one digit after the point from a thousand on: "17 B", "1.2 MiB".
    var bytes: String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        var value = Double(self)
        var unit = "B"
        for next in units where value >= 1024 {
            value /= 1024
            unit = next
        }
        return unit == "B" ? "\(self) B" : "\(Double(Int(value * 10)) / 10) \(unit)"
    }
}
