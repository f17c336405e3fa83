/// A value of a TOML 1.0 document, with the line it begins on.
struct TOMLNode {
    enum Value {
        case string(String)
        case boolean(Bool)
        /// A number or a time, as it is written.
        case other(String)
        case array([TOMLNode])
        case table(TOMLTable)
    }

    var value: Value
    var line: Int

    var string: String? { if case .string(let text) = value { text } else { nil } }
    var boolean: Bool? { if case .boolean(let flag) = value { flag } else { nil } }
    var array: [TOMLNode]? { if case .array(let nodes) = value { nodes } else { nil } }
    var table: TOMLTable? { if case .table(let table) = value { table } else { nil } }
}

/// A class, so that headers may add to a table that is deep in the document.
final class TOMLTable {
    private(set) var keys: [String] = []
    private var nodes: [String: TOMLNode] = [:]
    /// Its braces are closed, so that nothing may be added (inline tables).
    var isClosed = false
    /// A header of its own has named it.
    var isNamed = false

    subscript(key: String) -> TOMLNode? { nodes[key] }

    /// The node at the end of the keys.
    subscript(first: String, second: String, more: String...) -> TOMLNode? {
        var node = self[first]
        for key in [second] + more { node = node?.table?[key] }
        return node
    }

    var pairs: [(key: String, node: TOMLNode)] { keys.compactMap { key in nodes[key].map { (key, $0) } } }

    func set(_ key: String, _ node: TOMLNode) {
        if nodes[key] == nil { keys.append(key) }
        nodes[key] = node
    }

    /// Takes the array out and puts it back longer, so that it is not copied each time.
    func append(_ node: TOMLNode, to key: String) {
        guard case .array(var array)? = nodes[key]?.value, let line = nodes[key]?.line else { return }
        nodes[key]?.value = .boolean(false)
        array.append(node)
        nodes[key] = TOMLNode(value: .array(array), line: line)
    }
}
