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
        "numpy==2.1\n",
        """
        error: No solution found when resolving dependencies
          cause: Because there is no version of numpy==2.1 and you require numpy==2.1, we can conclude that your requirements are unsatisfiable.

        hint: `numpy` was found on https://wheels.example.com/cpu, but not at the requested version (numpy==2.1). A compatible version may be available on a subsequent index (e.g., https://pypi.org/simple). By default, uv will only consider versions that are published on the first index that contains a given package, to avoid dependency confusion attacks.
        """,
        "requirements.txt line 1: https://wheels.example.com/cpu has numpy, but not in the version that is asked for (numpy==2.1); the first index that has a package is the only one asked"
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
    (
        "idna==3.10 --hash=sha256:946d\n",
        """
        error: Failed to download `idna==3.10`
          cause: Hash mismatch for `idna==3.10`

                 Expected:
                   sha256:946d
        """, "requirements.txt line 1: what the index gave for idna==3.10 is not what its hash says"
    ),
    (
        "mine @ git+https://example.com/x.git\n",
        """
           Updating https://example.com/x.git (HEAD)
        error: Git operation failed
          cause: failed to clone into: /var/cache/uv/git-v1/db/8def
        """,
        "a package was to be fetched with git and could not be: Git operation failed failed to clone into: /var/cache/uv/git-v1/db/8def"
    ),
    (
        "six\npkg-resources==0.0.0\n",
        """
        error: No solution found when resolving dependencies
          cause: Because pkg-resources was not found in the package registry and you require pkg-resources==0.0.0, we can conclude that your requirements are unsatisfiable.
        """, "requirements.txt line 2: no version of pkg-resources was found"
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

    @Test func `in a pyproject.toml too`() throws {
        let project = try PyProject("[project]\nname = \"x\"\ndependencies = [\n  \"dash\",\n  \"pandsa\",\n]\n")
        let output = [
            "error: No solution found when resolving dependencies",
            "  cause: Because pandsa was not found in the package registry and x depends on pandsa, we can conclude that your requirements are unsatisfiable.",
        ]
        #expect(
            UVFailure(output, requirements: project.requirements)?.message
                == "pyproject.toml line 5: no version of pandsa was found. Did you mean pandas?")
    }

    @Test(arguments: [
        (
            """
            error: Failed to download `https://github.com/astral-sh/python-build-standalone/releases/download/20261110/cpython-3.12.16.tar.gz`
              cause: error sending request for url
              cause: dns error
            cpython-3.13.9-linux-x86_64-gnu                 <download available>
            cpython-3.11.2-linux-x86_64-gnu    /usr/bin/python3.11
            cpython-3.11.2-linux-x86_64-gnu    /usr/bin/python3 -> python3.11
            """, "runtime.txt line 1: Python 3.12 is not on the platform and could not be fetched; the platform has 3.11.2"
        ),
        (
            """
            error: No interpreter found for Python 3.12 in managed installations or search path
            cpython-3.16.0a2-linux-x86_64-gnu                 <download available>
            cpython-3.15.2-linux-x86_64-gnu                   <download available>
            cpython-3.15.2+freethreaded-linux-x86_64-gnu      <download available>
            cpython-3.14.10-linux-x86_64-gnu                  <download available>
            cpython-3.11.2-linux-x86_64-gnu    /usr/bin/python3.11
            """, "runtime.txt line 1: there is no Python 3.12; the platform has 3.11.2, and can fetch 3.15, 3.14"
        ),
    ])
    func `a Python that cannot be had is told with those that can`(_ output: String, _ message: String) throws {
        let version = PythonVersion.exact("3.12", "runtime.txt line 1")
        let failure = UVFailure(output.split(separator: "\n").map(String.init), requirements: Requirements(), python: version)
        #expect(failure?.message == message)
        #expect(failure?.hint != nil)
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
