import HTTPTypes
import Testing

/// One row of the permission table: a valid call, and what each kind of caller gets for it.
struct Endpoint: Sendable, CustomTestStringConvertible {
    var method: HTTPRequest.Method
    /// As the document has it.
    var path: String
    var body: String?
    /// In the order of `Caller.allCases`.
    var statuses: [Int]

    init(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, _ statuses: Int...) {
        self.method = method
        self.path = path
        self.body = body
        self.statuses = statuses
    }

    var testDescription: String { "\(method.rawValue) \(path)" }

    /// The path with the parameters that are this caller's.
    func path(for caller: Caller) -> String {
        path.replacing("{app}", with: World.app(for: caller)).replacing("{username}", with: "leaver-\(caller.rawValue)")
            .replacing("{name}", with: "old").replacing("{id}", with: String(Caller.allCases.firstIndex(of: caller)! + 1))
    }

    func body(for caller: Caller) -> String? { body?.replacing("CALLER", with: caller.rawValue) }

    //                                                             anonymous, stranger, viewer, collaborator, owner, admin
    static let all: [Endpoint] = [
        .init(.get, "/health", nil, 200, 200, 200, 200, 200, 200),
        .init(.get, "/openapi.json", nil, 200, 200, 200, 200, 200, 200),
        .init(.post, "/login", #"{"username":"viewer","password":"password-of-viewer","client":"CALLER"}"#, 201, 201, 201, 201, 201, 201),
        .init(.get, "/me", nil, 401, 200, 200, 200, 200, 200),
        .init(.get, "/apps", nil, 401, 200, 200, 200, 200, 200),
        .init(.post, "/apps", #"{"name":"new-CALLER"}"#, 401, 201, 403, 201, 201, 201),
        .init(.get, "/apps/{app}", nil, 401, 404, 200, 200, 200, 200),
        .init(.delete, "/apps/{app}", nil, 401, 404, 403, 403, 204, 204),
        .init(.get, "/apps/{app}/replicas", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/scale", #"{"web":3}"#, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/resources", nil, 401, 404, 403, 200, 200, 200),
        .init(.patch, "/apps/{app}/resources", #"{"process":"web","memoryBytes":536870912}"#, 401, 404, 403, 200, 200, 200),
        .init(.get, "/quotas", nil, 401, 403, 403, 403, 403, 200),
        .init(.patch, "/quotas", #"{"scope":"app","name":"sales-CALLER","memoryBytes":1}"#, 401, 403, 403, 403, 403, 200),
        .init(.get, "/apps/{app}/logs", nil, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/run", nil, 401, 404, 403, 426, 426, 426),
        .init(.get, "/apps/{app}/exec", nil, 401, 404, 403, 426, 426, 426),
        .init(.get, "/apps/{app}/commands", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/commands", #"{"command":["python","manage.py"]}"#, 401, 404, 403, 201, 201, 201),
        .init(.delete, "/apps/{app}/commands/{name}", nil, 401, 404, 403, 204, 204, 204),
        .init(.get, "/apps/{app}/releases", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/rollback", #"{"release":1}"#, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/rollout", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/rollout/pause", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/rollout/resume", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/rollout/undo", nil, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/rollout/canary", #"{"release":1,"percent":10}"#, 401, 404, 403, 200, 200, 200),
        .init(.post, "/apps/{app}/rollout/promote", nil, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/config", nil, 401, 404, 403, 200, 200, 200),
        .init(.patch, "/apps/{app}/config", #"{"set":{"DEBUG":"1"}}"#, 401, 404, 403, 200, 200, 200),
        .init(.patch, "/apps/{app}/config/build", #"{"set":{"INDEX_TOKEN":"1234"}}"#, 401, 404, 403, 200, 200, 200),
        .init(.get, "/images", nil, 401, 200, 200, 200, 200, 200),
        .init(.get, "/apps/{app}/sbom", nil, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/pushes", nil, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/builds/{id}/log", nil, 401, 404, 403, 200, 200, 200),
        .init(.get, "/apps/{app}/access", nil, 401, 404, 403, 200, 200, 200),
        .init(.put, "/apps/{app}/access", #"{"mode":"public"}"#, 401, 404, 403, 403, 200, 200),
        .init(.put, "/apps/{app}/access/users/{username}", #"{"role":"viewer"}"#, 401, 404, 403, 403, 200, 200),
        .init(.delete, "/apps/{app}/access/users/{username}", nil, 401, 404, 403, 403, 204, 204),
        .init(.get, "/users", nil, 401, 403, 403, 403, 403, 200),
        .init(.post, "/users", #"{"username":"new-CALLER","password":"long enough"}"#, 401, 403, 403, 403, 403, 201),
        .init(.delete, "/users/{username}", nil, 401, 403, 403, 403, 403, 204),
        .init(.get, "/tokens", nil, 401, 200, 200, 200, 200, 200),
        .init(.post, "/tokens", #"{"name":"ci","days":30}"#, 401, 201, 201, 201, 201, 201),
        .init(.delete, "/tokens/{name}", nil, 401, 204, 204, 204, 204, 204),
    ]
}
