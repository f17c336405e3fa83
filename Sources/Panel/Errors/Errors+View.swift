import Models

/// The page of an error.
struct ErrorView {
    var status: Int
    var heading: String
    var problem: Problem
    var linkURL: String
    var linkText: String

    init(_ error: MoorError, isSignedIn: Bool, link: (url: String, text: String)? = nil) {
        status = error.code.httpStatus
        heading =
            switch error.code {
            case .notFound: "Nothing is moored here"
            case .forbidden: "Not for you, yet"
            case .rateLimited: "A little slower, please"
            case .unauthenticated: "Please sign in"
            case .unavailable, .timedOut: "Not available right now"
            case .internalError: "Something broke on our side"
            default: "That did not work"
            }
        problem = Problem(error)
        (linkURL, linkText) = link ?? (isSignedIn ? ("/", "Back to your apps") : ("/sign-in", "Sign in"))
    }
}
