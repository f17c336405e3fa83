import Models
import TestSupport
import Testing

@testable import Builds

/// Output as uv 0.13 wrote it.
private let captured: [(requirements: String, output: String, message: String)] = [
    (
        "dash==3.0.4\n# note\npandsa\n",
        """
        error: No solution found when resolving dependencies
          cause: Because pandsa was not found in the package registry and you require pandsa, we can conclude that your requirements are unsatisfiable.
        """, "requirements.txt line 3: no version of pandsa was found. Did you mean pandas?"
    ),
    (
        "internal-thing\n",
        """
        error: No solution found when resolving dependencies
          cause: Because internal-thing was not found in the package registry and you require internal-thing, we can conclude that your requirements are unsatisfiable.
        """, "requirements.txt line 1: no version of internal-thing was found"
    ),
    (
        "flask\npandas==99.1\n",
        """
        error: No solution found when resolving dependencies
          cause: Because there is no version of pandas==99.1 and you require pandas==99.1, we can conclude that your requirements are unsatisfiable.
        """, "requirements.txt line 2: there is no version pandas==99.1"
    ),
    (
        "pandas>=99\n",
        """
        error: No solution found when resolving dependencies
          cause: Because only pandas<=3.1.1 is available and you require pandas>=99, we can conclude that your requirements are unsatisfiable.
        """, "requirements.txt line 1: pandas>=99 does not exist; only pandas<=3.1.1 does"
    ),
    (
        "dash==3.0.4\nFlask==1.0\n",
        """
        error: No solution found when resolving dependencies
          cause: Because dash==3.0.4 depends on flask>=1.0.4,<3.1 and you require dash==3.0.4, we can conclude that you require flask>=1.0.4,<3.1.
                 And because you require flask==1.0, we can conclude that your requirements are unsatisfiable.
        """, "these contradict each other: requirements.txt line 1 (dash==3.0.4), requirements.txt line 2 (Flask==1.0)"
    ),
    (
        "flask\npandas=1.0\n",
        """
        error: Couldn't parse requirement in `requirements.txt` at position 6
          cause: no such comparison operator "=", must be one of ~= == != <= >= < > ===
                 pandas=1.0
                       ^^^^
        """,
        "requirements.txt line 2 cannot be read: “pandas=1.0”: no such comparison operator \"=\", must be one of ~= == != <= >= < > ==="
    ),
    (
        "flask\nfoo bar\n",
        """
        error: Couldn't parse requirement in `requirements.txt` at position 6
          cause: Expected one of `@`, `(`, `<`, `=`, `>`, `~`, `!`, `;`, found `b`
                 foo bar
                     ^
        """, "requirements.txt line 2 cannot be read: “foo bar”: Expected one of `@`, `(`, `<`, `=`, `>`, `~`, `!`, `;`, found `b`"
    ),
    (
        "dash\n",
        """
        error: Failed to fetch: https://pypi.org/simple/dash/
          cause: error sending request for url (https://pypi.org/simple/dash/)
          cause: client error (Connect)
          cause: invalid peer certificate: UnknownIssuer

        hint: Consider enabling use of system TLS certificates with the `--system-certs` command-line flag
        """, "the package index's certificate is not trusted by the platform"
    ),
]

struct `uv's reasons` {
    @Test(arguments: captured)
    func `are told with the line they are about`(_ requirements: String, _ output: String, _ message: String) throws {
        let tree = try Tree(InMemorySourceTree(["requirements.txt": requirements]))
        let lines = ["Resolved 3 packages in 10ms"] + output.split(separator: "\n").map(String.init)
        let failure = UVFailure(lines, requirements: try Requirements("requirements.txt", in: tree))
        #expect(failure?.message == message)
        #expect(failure?.hint != nil)
    }

    @Test func `in a pyproject.toml too`() {
        let project = PyProject("[project]\nname = \"x\"\ndependencies = [\n  \"dash\",\n  \"pandsa\",\n]\n")
        let output = [
            "error: No solution found when resolving dependencies",
            "  cause: Because pandsa was not found in the package registry and x depends on pandsa, we can conclude that your requirements are unsatisfiable.",
        ]
        #expect(
            UVFailure(output, requirements: project.requirements)?.message
                == "pyproject.toml line 5: no version of pandsa was found. Did you mean pandas?")
    }

    @Test func `are not made up where there is none`() {
        #expect(UVFailure(["Resolved 3 packages in 10ms"], requirements: Requirements()) == nil)
    }

    @Test(
        arguments: [
            ("pandsa", "pandas"), ("sklearn", "scikit-learn"), ("Streamlti", "streamlit"), ("scikit_lern", "scikit-learn"),
            ("numpi", "numpy"),
            ("zzz", nil), ("pandas", nil),
        ] as [(String, String?)])
    func `a mistyped name is guessed`(_ name: String, _ guess: String?) {
        #expect(PopularPackages.near(name) == guess)
    }
}
