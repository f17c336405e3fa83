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
        ["sbom", "sales", "--release", "latest"], ["sbom", "sales", "--app", "sales"], ["images", "sales"],
        ["users", "add"], ["users", "add", "bob", "--role", "king"], ["users", "add", "bob", "--password", "x"], ["tokens", "create"],
        ["tokens", "create", "ci", "--days", "0"], ["login"], ["login", "localhost", "--token", "--user", "ada"],
    ])
    func `a wrong command line is a usage error`(_ arguments: [String]) {
        let error = #expect(throws: (any Error).self) { _ = try Moor.parseAsRoot(arguments) }
        #expect(error.map { Moor.exitCode(for: $0) } == .validationFailure)
    }

    @Test func `a value never stands in the message about it`() {
        let error = #expect(throws: (any Error).self) { _ = try Moor.parseAsRoot(["config", "set", "=hunter2"]) }
        #expect(error.map { Moor.message(for: $0).contains("hunter2") } == false)
    }
}
