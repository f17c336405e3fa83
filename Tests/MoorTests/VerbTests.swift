import ArgumentParser
import Testing

@testable import moor

struct VerbTests {
    @Test(arguments: [
        ["apps"], ["apps", "list", "--json"], ["apps", "create", "sales"], ["apps", "delete", "sales", "--yes"], ["ps", "--app", "sales"],
        ["ps", "-a", "sales", "--url", "https://moorage.example.com"], ["scale", "web=3", "worker=0"],
        ["logs", "-f", "--tail", "5", "--process", "web"],
        ["releases", "--limit", "5"], ["rollback"], ["rollback", "v3"], ["rollback", "3"], ["config"],
        ["config", "set", "A=1", "B=x=y", "C=-"],
        ["config", "set", "--build", "TOKEN=-"], ["config", "unset", "--build", "TOKEN"],
        ["config", "unset", "A"], ["access"], ["access", "public"], ["access", "named", "--app", "sales"], ["access", "add", "bob"],
        ["access", "add", "bob", "--role", "collaborator"], ["access", "remove", "bob"], ["users"], ["users", "remove", "bob"],
        ["users", "add", "bob", "--role", "viewer", "--group", "a", "--group", "b", "--password-stdin"], ["tokens"],
        ["tokens", "create", "ci", "--days", "30"], ["tokens", "revoke", "ci"], ["login", "https://moorage.example.com", "--token"],
        ["login", "localhost:8080", "-u", "ada", "--password-stdin"], ["logout"], ["whoami"],
        ["resources"], ["resources", "web", "--cpu", "500m", "--memory", "512Mi", "--pids", "256", "--disk", "2Gi", "--gpu", "1"],
        ["resources", "web", "--reset", "-a", "sales"], ["quota"], ["quota", "set", "--app", "sales", "--memory", "8Gi", "--cpu", "4"],
        ["quota", "set", "--every-user", "--apps", "20"], ["quota", "set", "--replica", "--memory", "none"],
        ["rollout"], ["rollout", "status", "-a", "sales", "--json"], ["rollout", "pause"], ["rollout", "resume"], ["rollout", "undo"],
        ["rollout", "canary", "10%"], ["rollout", "canary", "10", "--release", "v7"], ["rollout", "promote"],
        ["run", "sales"], ["run", "sales", "--", "ls"],
        ["run", "--app", "sales", "--process", "worker", "--env", "A=b=c", "--", "ls", "-a"],
        ["run", "sales", "--detach", "--json", "--", "ls"], ["run", "sales", "--stop", "run.4711"], ["exec", "sales", "--no-tty"],
        ["exec", "sales", "--replica", "web.1", "--", "ls"], ["run", "--", "ls"],
        ["images"], ["images", "--json"], ["sbom"], ["sbom", "sales", "--release", "v3", "--output", "x.json"], ["sbom", "-a", "sales"],
    ])
    func `a right command line is understood`(_ arguments: [String]) throws {
        _ = try Moor.parseAsRoot(arguments)
    }

    @Test(arguments: [
        ["ap"], ["scale"], ["scale", "web"], ["scale", "web=x"], ["scale", "web=-1"], ["scale", "web=101"], ["scale", "web=1", "web=2"],
        ["scale", "=1"],
        ["rollback", "v0"], ["rollback", "latest"], ["logs", "--tail", "-1"], ["releases", "--limit", "0"], ["config", "set"],
        ["config", "set", "A"],
        ["config", "set", "=x"], ["config", "set", "A=-", "B=-"], ["config", "unset"], ["access", "everybody"],
        ["access", "add", "bob", "--role", "owner"],
        ["resources", "web"], ["resources", "--cpu", "1"], ["resources", "web", "--cpu", "many"], ["resources", "web", "--memory", "1"],
        ["quota", "set", "--memory", "8Gi"], ["quota", "set", "--app", "sales"],
        ["quota", "set", "--app", "sales", "--user", "ada", "--cpu", "1"], ["quota", "set", "--platform", "--apps", "few"],
        ["rollout", "canary"], ["rollout", "canary", "100%"], ["rollout", "canary", "10%", "--release", "newest"], ["rollout", "redo"],
        ["run", "sales", "--detach"], ["run", "sales", "--env", "A", "--", "ls"], ["run", "sales", "--app", "sales", "--", "ls"],
        ["run", "sales", "--stop", "run.1", "--", "ls"], ["run", "sales", "--json", "--", "ls"], ["exec", "sales", "--json", "--", "ls"],
        ["sbom", "sales", "--release", "latest"], ["sbom", "sales", "--app", "sales"], ["images", "sales"],
        ["users", "add"], ["users", "add", "bob", "--role", "king"], ["users", "add", "bob", "--password", "x"], ["tokens", "create"],
        ["tokens", "create", "ci", "--days", "0"], ["login"], ["login", "localhost", "--token", "--user", "ada"],
    ])
    func `a wrong command line is a usage error`(_ arguments: [String]) {
        let error = #expect(throws: (any Error).self) { _ = try Moor.parseAsRoot(arguments) }
        #expect(error.map { Moor.exitCode(for: $0) } == .validationFailure)
    }

    @Test(arguments: [
        ("run sales python manage.py migrate --fake -a", "run sales -- python manage.py migrate --fake -a"),
        ("run --process worker sales ls --process", "run --process worker sales -- ls --process"),
        ("exec sales --replica web.1 ls", "exec sales --replica web.1 -- ls"), ("exec --app sales ls -l", "exec --app sales -- ls -l"),
        ("run --app=sales --env A=b ls", "run --app=sales --env A=b -- ls"), ("run sales -- ls -- x", "run sales -- ls -- x"),
        ("run -- ls", "run -- ls"), ("run sales", "run sales"), ("run sales --detach", "run sales --detach"),
        ("logs --app sales run", "logs --app sales run"), ("exec sales - x", "exec sales -- - x"), ("", ""),
    ])
    func `everything after the app's name is the command's`(_ line: String, _ expected: String) {
        let words = line.split(separator: " ").map(String.init)
        #expect(CommandLineOfOthers.separated(words).joined(separator: " ") == expected)
    }

    @Test(arguments: [
        (["ls"], ["ls"]), (["ls", "a b", "&&"], ["ls", "a b", "&&"]), (["/usr/bin/python3.11"], ["/usr/bin/python3.11"]),
        (["a && b"], ["/bin/sh", "-c", "a && b"]), (["echo $HOME"], ["/bin/sh", "-c", "echo $HOME"]), (["ls;"], ["/bin/sh", "-c", "ls;"]),
    ])
    func `one word with shell syntax is for the shell`(_ words: [String], _ expected: [String]) {
        #expect(CommandLineOfOthers.command(words) == expected)
    }

    @Test func `a value never stands in the message about it`() {
        let error = #expect(throws: (any Error).self) { _ = try Moor.parseAsRoot(["config", "set", "=hunter2"]) }
        #expect(error.map { Moor.message(for: $0).contains("hunter2") } == false)
    }
}
