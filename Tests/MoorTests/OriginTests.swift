import Models
import Testing

@testable import moor

struct OriginTests {
    @Test(arguments: [
        ("https://Moorage.Example.com", "https://moorage.example.com"),
        ("https://moorage.example.com:443/", "https://moorage.example.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://localhost:80", "http://localhost"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("moorage.example.com", "https://moorage.example.com"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("HTTPS://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ])
    func `a platform's URL becomes its origin`(_ text: String, _ origin: String) throws {
        #expect(try Origin(text).description == origin)
    }

    @Test(arguments: [
        "", "ftp://example.com", "https://", "https://example.com/git", "https://example.com?x=1", "https://example.com#x",
        "https://ada:secret@example.com", "https://exa mple.com", "https://example.com:99999999",
    ])
    func `anything else is refused`(_ text: String) {
        #expect(throws: MoorError.self) { try Origin(text) }
    }

    @Test func `a refused URL with a password is not shown with it`() {
        let error = #expect(throws: MoorError.self) { try Origin("https://ada:secret@example.com") }
        #expect(error?.description.contains("secret") == false)
    }

    @Test(arguments: [
        ("http://moorage.example.com", true), ("https://moorage.example.com", false), ("http://localhost:8080", false),
        ("http://sales.localhost", false), ("http://127.0.0.1", false), ("http://[::1]:1", false), ("http://127.evil.example", true),
        ("http://localhost.example.com", true), ("http://10.0.0.1", true),
    ])
    func `what goes over a network in the clear is known`(_ text: String, _ isExposed: Bool) throws {
        #expect(try Origin(text).isExposed == isExposed)
    }

    @Test(arguments: [
        ("http://localhost:8080/git/sales.git", "http://localhost:8080", "sales"),
        ("https://moorage.example.com/git/sales-2.git\n", "https://moorage.example.com", "sales-2"),
        ("https://ada@moorage.example.com/git/sales.git", "https://moorage.example.com", "sales"),
        ("https://ada:token@moorage.example.com:443/git/sales/", "https://moorage.example.com", "sales"),
    ])
    func `a remote says app and platform`(_ url: String, _ origin: String, _ app: String) throws {
        let remote = try #require(Remote(url: url))
        #expect(remote.origin.description == origin)
        #expect(remote.app.rawValue == app)
    }

    @Test(arguments: [
        "", "git@github.example:ada/sales.git", "ssh://git@moorage.example.com/git/sales.git", "/srv/git/sales.git",
        "file:///git/sales.git",
        "https://moorage.example.com/sales.git", "https://moorage.example.com/git/", "https://moorage.example.com/git/a/b.git",
        "https://moorage.example.com/git/Sales.git", "https://moorage.example.com/git/admin.git", "https://moorage.example.com/git/..git",
    ])
    func `a remote that is no app's says nothing`(_ url: String) {
        #expect(Remote(url: url) == nil)
    }
}
