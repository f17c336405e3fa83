import Models
import Testing

@testable import Builds

/// A node as one line, to compare.
private func plain(_ node: TOMLNode) -> String {
    switch node.value {
    case .string(let text): "\"\(text)\""
    case .boolean(let flag): "\(flag)"
    case .other(let text): text
    case .array(let nodes): "[" + nodes.map(plain).joined(separator: ",") + "]"
    case .table(let table): plain(table)
    }
}

private func plain(_ table: TOMLTable) -> String { "{" + table.pairs.map { "\($0.key):\(plain($0.node))" }.joined(separator: ",") + "}" }

private func plain(_ node: JSONNode) -> String {
    switch node.value {
    case .null: "null"
    case .boolean(let flag): "\(flag)"
    case .number(let text): text
    case .string(let text): "\"\(text)\""
    case .array(let nodes): "[" + nodes.map(plain).joined(separator: ",") + "]"
    case .object(let members): "{" + members.map { "\($0.key):\(plain($0.node))" }.joined(separator: ",") + "}"
    }
}

struct `TOML` {
    @Test(arguments: [
        ("", "{}"), ("# x\n\n", "{}"), ("a = 1 # x\nb = 'c'\r\n", #"{a:1,b:"c"}"#),
        ("a.b.c = true\na.d = false", "{a:{b:{c:true},d:false}}"),
        ("\"a b\".'c' = \"\\u00e9\\n\\\"\"", "{a b:{c:\"é\n\"\"}}"), ("a = [1, [2,\n # x\n 3,\n],]", "{a:[1,[2,3]]}"),
        ("a = { b = 1, c.d = '2' }", #"{a:{b:1,c:{d:"2"}}}"#), ("[a]\nb=1\n[a.c]\nd=2\n[e . f]", "{a:{b:1,c:{d:2}},e:{f:{}}}"),
        ("[[a]]\nb=1\n[a.c]\nd=2\n[[a]]\nb=3", "{a:[{b:1,c:{d:2}},{b:3}]}"),
        ("a = \"\"\"\nb\n\"c\" \\\n   d\"\"\"\"", "{a:\"b\n\"c\" d\"\"}"),
        ("a = '''\nb\\n'''", "{a:\"b\\n\"}"), ("a = 1979-05-27 07:32:00\nb = -1.5e3\nc = inf", "{a:1979-05-27 07:32:00,b:-1.5e3,c:inf}"),
        ("a = ''\nb = \"\"", #"{a:"",b:""}"#),
    ])
    func `is read`(_ text: String, _ expected: String) throws {
        #expect(plain(try TOMLReader.read(text, file: "x")) == expected)
    }

    @Test(arguments: [
        ("a = 1\na = 2", 2), ("a", 1), ("\n\na = x", 3), ("a = 'b\nc'", 1), ("[a\nb=1", 1), ("a = [1, 2\nb = 3", 2), ("a = 1 b = 2", 1),
        ("[a]\n[a]", 2), ("a = {b = 1}\n[a]", 2), ("a = 1\na.b = 2", 2), ("a = \"\\q\"", 1), ("= 1", 1), ("a = {b = 1}\na.c = 2", 2),
        ("a = '''\nb\n", 3),
    ])
    func `that is none is named by its line`(_ text: String, _ line: Int) throws {
        let error = try #require(throws: MoorError.self) { try TOMLReader.read(text, file: "x") }
        #expect(error.message.hasPrefix("x line \(line) is not TOML: "), "\(error.message)")
    }

    @Test func `knows the lines of its values`() throws {
        let root = try TOMLReader.read("[a]\nb = [\n  'c',\n  'd',\n]\n[[e]]\nf = 1\n", file: "x")
        #expect(root["a", "b"]?.line == 2)
        #expect(root["a", "b"]?.array?.map(\.line) == [3, 4])
        #expect(root["e"]?.array?.map(\.line) == [6])
    }
}

struct `JSON` {
    @Test(arguments: [
        ("{}", "{}"), (" [1, -2.5e3, true, false, null, \"a\"] ", #"[1,-2.5e3,true,false,null,"a"]"#), (#"{"a": {"b": []}}"#, "{a:{b:[]}}"),
        (#""\u00e9\ud83d\ude00\n\/""#, "\"é😀\n/\""), (#""\ud83d""#, "\"\u{FFFD}\""),
    ])
    func `is read`(_ text: String, _ expected: String) throws {
        #expect(plain(try JSONReader.read(text, file: "x")) == expected)
    }

    @Test(arguments: [
        ("", 1), ("{\n\"a\": 1,\n}", 3), ("[1\n2]", 2), ("{a: 1}", 1), ("{\"a\" 1}", 1), ("\"a\nb\"", 1), ("{} {}", 1), ("[1,]", 1),
        ("nul", 1),
        ("\n\n{'a': 1}", 3), ("\"\\q\"", 1), ("// x\n{}", 1),
    ])
    func `that is none is named by its line`(_ text: String, _ line: Int) throws {
        let error = try #require(throws: MoorError.self) { try JSONReader.read(text, file: "x") }
        #expect(error.message.hasPrefix("x line \(line) is not JSON: "), "\(error.message)")
    }
}

/// Readers of what strangers push end, whatever they get, and do so soon.
@Test(
    .timeLimit(.minutes(1)),
    arguments: ["[", "{", "{\"a\":", "a.", "[[a]]\n", "a={", "'''", "\"\"\"", "\\", "[a.b]\n", "\"", "a=[", "0", "-", "\"a\":1,"])
func `a mebibyte of one thing is read in one pass`(_ piece: String) {
    let text = String(repeating: piece, count: (1 << 20) / piece.utf8.count)
    _ = try? TOMLReader.read(text, file: "x")
    _ = try? JSONReader.read(text, file: "x")
    _ = try? JSONReader.read("[" + text, file: "x")
}
