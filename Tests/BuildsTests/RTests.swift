import Foundation
import Models
import Store
import TestSupport
import Testing

@testable import Builds

/// A package as renv writes it.
private func locked(_ name: String, _ version: String, _ source: String = "Repository") -> String {
    #""\#(name)": {"Package": "\#(name)", "Version": "\#(version)", "Source": "\#(source)", "Repository": "CRAN", "Hash": "0"}"#
}

private func lock(_ packages: String...) -> String {
    "{\"R\": {\"Version\": \"4.3.1\"},\n\"Packages\": {\n" + packages.joined(separator: ",\n") + "\n}}\n"
}

private func app(_ file: String, _ text: String) -> [String: String] { [file: text, "Procfile": "web: x"] }

/// Debian's packages are the real ones; CRAN is a mirror of the test's own.
@Suite(.engine, .serialized, .timeLimit(.minutes(10)))
struct `R apps in a real engine` {
    /// One test, as R with Shiny is fetched and unpacked for each engine anew.
    @Test func `packages come from Debian, then from CRAN, and what cannot be had is told by file and line`() async throws {
        try await CRANMirror.serve { mirror in
            let cran = mirror.server.url
            try await withWorkshop({ ($0.settings, $0.platformID) = (["cran.url": cran], "r") }) { shop in
                try await installs(shop)
                try await refuses(shop, Self.refusals(cran))
            }
            // The layer with R is found again, and nothing listens at that port.
            let nowhere = "http://ada:hunter22@127.0.0.1:9"
            try await withWorkshop({ ($0.settings, $0.platformID) = (["cran.url": nowhere], "r") }) { shop in
                try await refuses(shop, Self.refusedWithoutCRAN)
                let log = try await shop.service.log(of: try #require(try await shop.states().last?.id))
                #expect(log.contains("Debian packages are unchanged") && !log.contains("hunter22"))
            }
        }
    }

    private func installs(_ shop: Workshop) async throws {
        let heard = Heard()
        let files = app(
            "renv.lock", lock(locked("praise", "0.9.0"), locked("tern", "0.5"), locked("renv", "1.0"), locked("shiny", "1.7.4")))
        let built = try await shop.build(files, log: heard.log)
        #expect(await heard.contains("buildpack r: found renv.lock"))
        #expect(await heard.contains("+ praise=1.0.0 (Debian)"))
        #expect(await heard.contains("renv.lock line 3 asks for praise 0.9.0; Debian's 1.0.0 is taken"))
        #expect(await heard.contains("+ tern=1.0 (CRAN)"))
        #expect(await heard.contains("renv.lock line 4 asks for tern 0.5; CRAN's 1.0 is taken"))
        #expect(await !heard.contains("asks for shiny"), "that is Debian's very version")
        let script =
            "cat(tern::call(), nchar(praise::praise('x')), as.character(packageVersion('brew')) > '1', '\\n'); system('id -u; ls /var/lib/apt/lists /var/cache | wc -w')"
        let said = try await shop.run(built.image.reference, "Rscript", "-e", script)
        #expect(said.hasPrefix("kik-kik 1 TRUE \n10001\n"))
        let brew = try await shop.run(built.image.reference, "Rscript", "-e", "cat(find.package('brew'))")
        #expect(brew == "/usr/lib/R/site-library/brew", "what a package of CRAN stands on comes from Debian too")

        let told = Heard()
        let described = "Package: app\nDepends: R (>= 4.0), praise\nImports:\n    brew (>= 1.0),\n    shiny,\nRemotes: ada/tern\n"
        let second = try await shop.build(app("DESCRIPTION", described), log: told.log)
        #expect(await told.contains("+ brew="))
        #expect(await told.contains("DESCRIPTION line 6: Remotes are not read"))
        let loaded = try await shop.run(second.image.reference, "Rscript", "-e", "library(praise); library(brew); cat('both')")
        #expect(loaded == "both")

        let script2 =
            "pkgs <- c('praise',\n  'tern')\ninstall.packages(pkgs, repos = 'https://cran.example.com')\nlibrary(tern)\nmessage(call())\n"
        let ran = Heard()
        _ = try await shop.build(app("install.R", script2), log: ran.log)
        #expect(await ran.contains("kik-kik"), "what install.R says is shown")
    }

    private func refuses(_ shop: Workshop, _ cases: [Refusal]) async throws {
        for (file, text, message, hint, shown) in cases {
            let heard = Heard()
            let error = await refused { try await shop.build(app(file, text), log: heard.log) }
            #expect(error?.code == .appFailed)
            #expect(error?.message == message)
            #expect(error?.hint == hint)
            if let shown { #expect(await heard.contains(shown)) }
            #expect(await !heard.contains("moor-error"))
        }
    }

    private typealias Refusal = (file: String, text: String, message: String, hint: String, shown: String?)

    private static func refusals(_ cran: String) -> [Refusal] {
        [
            (
                "renv.lock", "{\"Packages\": {\n  \"praise\": {\"Version\" \"1\"}}}\n",
                "renv.lock line 2 is not JSON: Expecting ':' delimiter",
                "make it anew with renv::snapshot()", nil
            ),
            ("renv.lock", "[1]\n", "renv.lock has no list of packages", "make it anew with renv::snapshot()", nil),
            (
                "renv.lock", lock(locked("shiny", "1.7.4"), locked("swan", "1", "GitHub")),
                "renv.lock line 4: swan (GitHub): builds take packages from Debian and CRAN alone",
                "take a release of it that is on CRAN, then make the file anew with renv::snapshot()", nil
            ),
            (
                "renv.lock", lock(locked("shiny", "1.7.4"), locked("xqzwvkj", "1")),
                "renv.lock line 4: there is no package xqzwvkj on CRAN",
                "check its name; a package that is only on GitHub cannot be taken", nil
            ),
            (
                "install.R", "install.packages('shiny')\nstop('the tide is out')\n", "install.R stopped: the tide is out",
                #"packages are installed with install.packages(c("dplyr", "DT"))"#, nil
            ),
            (
                "install.R", "# preise is a package\ninstall.packages(c('shiny', 'preise'))\n",
                "install.R line 2: there is no package preise on CRAN. Did you mean praise?", "write praise in its place", nil
            ),
            (
                "install.R", "if (\n", "install.R line 2 is not R: unexpected end of input", "check its brackets, quotes and commas", nil
            ),
            (
                "DESCRIPTION", "Package: x\nImports: terN\n", "DESCRIPTION line 2: there is no package terN on CRAN. Did you mean tern?",
                "write tern in its place", nil
            ),
            (
                "DESCRIPTION", "shiny, dplyr\n", "DESCRIPTION cannot be read: Line starting 'shiny, dplyr ...' is malformed!",
                "it has lines such as “Imports: shiny, dplyr”", nil
            ),
            (
                "DESCRIPTION", "Imports: shiny,\n  anchor\n", "DESCRIPTION line 2: anchor must be compiled, and there is no compiler",
                "write r-base-dev into a file named apt-packages", nil
            ),
            (
                "DESCRIPTION", "Imports: wreck\n", "DESCRIPTION line 1: wreck could not be built",
                "the lines above are what its own build said", "unexpected"
            ),
        ]
    }

    private static let refusedWithoutCRAN: [Refusal] = [
        (
            "DESCRIPTION", "Imports: praise,\n  tern\n",
            "DESCRIPTION line 2: Debian does not have tern, and CRAN (http://127.0.0.1:9) could not be reached",
            "take a package that Debian has (apt-cache search r-cran), or have the platform's admin let builds reach CRAN (cran.url)", nil
        ),
        (
            "install.R", "install.packages('preise')", "install.R line 1: there is no package preise in Debian. Did you mean praise?",
            "write praise in its place", nil
        ),
    ]
}
