/// How one kind of thing is written as JSON. The same list of members renders it and documents it, so the two agree.
struct Shape<Subject: Sendable>: Sendable {
    struct Member: Sendable {
        var field: Schema.Field
        var value: @Sendable (Subject) -> JSON

        init(_ name: String, _ schema: Schema, _ description: String, _ value: @escaping @Sendable (Subject) -> JSON) {
            field = Schema.Field(name, schema, description)
            self.value = value
        }
    }

    /// The name in the document's `components`.
    var name: String
    var members: [Member]

    init(_ name: String, _ members: [Member]) {
        self.name = name
        self.members = members
    }

    /// Every member is always there; what has no value is null.
    func json(_ subject: Subject) -> JSON {
        .object(Dictionary(members.map { ($0.field.name, $0.value(subject)) }) { _, last in last })
    }

    func json(_ subjects: [Subject]) -> JSON { .array(subjects.map(json)) }

    var schema: Schema { .object(members.map(\.field)) }
    var reference: Schema { .named(name) }
    var component: (name: String, schema: Schema) { (name, schema) }
}
