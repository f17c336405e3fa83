import Testing

@testable import Builds

private func module(_ text: String) -> PythonModule { PythonModule(Array(text.utf8)) }

struct `Python modules` {
    @Test(
        arguments: [
            ("import a", ["a"]), ("import a.b.c as d, e\n", ["a", "a.b", "a.b.c", "e"]), ("from x.y import z\n", ["x", "x.y", "x.y.z"]),
            ("from x import (a,\n  b as c, # note\n  d,)\n", ["x", "x.a", "x.b", "x.d"]), ("from x import *", ["x"]),
            ("from . import a\nfrom .b import c\nfrom .. import d", []),
            ("try:\n    import a\nexcept ImportError: import b\n", ["a", "b"]),
            ("def f():\n\timport a; import b\n", ["a", "b"]), ("import \\\n  a", ["a"]),
            ("import \\\r\n  a\r\nimport b\rimport c", ["a", "b", "c"]),
            ("# import a\n", []), ("'import a'\n\"\"\"\nimport b\n\"\"\"\n'''import c'''\nimport d", ["d"]),
            ("x = 'it''s' + \"\\\"\"; import a", ["a"]), ("x = r'\\'\nimport a", ["a"]), ("x = rb\"\\\\\"\nimport a", ["a"]),
            ("x = f\"{d[\"#\"]}\"\nimport a", ["a"]), ("x = f'{a:{b}}' '# no'\nimport c", ["c"]),
            ("x = f'{{' + f\"}}\"\nimport a", ["a"]), ("x = f\"{y!r:'>10}\"\nimport a", ["a"]), ("x = 'open\nimport a", ["a"]),
            ("x = [\n'''\nimport b\n''', 1\n]\nimport a", ["a"]), ("importa\nimport_b = 1\nfrom_x = 2", []),
            ("x = {\n 'import': 1 }\nimport a", ["a"]), ("if True: from x import y", ["x", "x.y"]), ("\u{FEFF}import a", ["a"]),
            ("import naïve", ["naïve"]), ("x = lambda: 0; import a", ["a"]), ("print(1); import a;", ["a"]),
            ("f'{x if y else \"}\"}'; import a", ["a"]), ("class A: import a", ["a"]),
        ] as [(String, Set<String>)])
    func `their imports are read through strings, comments and continued lines`(_ text: String, _ imports: Set<String>) {
        #expect(module(text).imports == imports)
    }

    @Test(arguments: [
        ("import dash\napp = dash.Dash(__name__)\nserver = app.server", ["app=dash.Dash()", "server=app.server"]),
        ("from dash import Dash as D\nx: object = D()", ["x=dash.Dash()"]),
        ("def f():\n  server = app.server\nif a:\n  x = y()\n", []), ("else: x = y", []),
        ("a == b\na.b = c\na, b = c\na += d\na = 1\na = b + c\na = 'x'", []), ("a = (\nb.c)", []), ("a = b.c # x\n", ["a=b.c"]),
        ("import fastapi as fa\napp = fa.FastAPI(\n  title='x')", ["app=fastapi.FastAPI()"]),
        ("'''\nserver = app.server\n'''\n", []),
    ])
    func `their top-level names are read`(_ text: String, _ expected: [String]) {
        #expect(module(text).assignments.map { "\($0.name)=\($0.value)\($0.isCall ? "()" : "")" } == expected)
    }

    @Test func `any bytes are survived`() {
        var seed: UInt64 = 88_172_645_463_325_252
        let alphabet = Array("abf\"'{}[]():;\\\n\r\t #=,.import from".utf8) + [0, 0xFF, 0xC3]
        for _ in 0..<300 {
            let bytes = (0..<400).map { _ -> UInt8 in
                seed ^= seed << 13
                seed ^= seed >> 7
                seed ^= seed << 17
                return alphabet[Int(seed % UInt64(alphabet.count))]
            }
            _ = PythonModule(bytes)
        }
    }

    /// Anything that is not linear takes minutes for these.
    @Test(.timeLimit(.minutes(1)), arguments: ["f'{", "f\"\"\"{", "(", "'''", "\\", "a.", "import a,", "x=", ";", "f'{f\"{", "\"\n"])
    func `a mebibyte of anything is read in one pass`(_ piece: String) {
        let bytes = Array(String(repeating: piece, count: (1 << 20) / piece.utf8.count).utf8)
        _ = PythonModule(bytes)
    }
}
