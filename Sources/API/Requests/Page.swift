/// Which part of a long list is asked for: the newest `limit` below `before`.
struct Page: Sendable {
    var limit: Int
    var before: Int

    init(_ call: Call) {
        limit = call.query["limit"].flatMap { Int($0) } ?? 20
        before = call.query["before"].flatMap { Int($0) } ?? .max
    }

    static func query(_ key: String) -> [Schema.Field] {
        [
            .init("limit", .integer(1...100), "At most so many; 20 where it is left out", isRequired: false),
            .init("before", .integer(1...Int.max), "Only those with a smaller \(key)", isRequired: false),
        ]
    }
}
