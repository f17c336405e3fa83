/// The sign-in page.
struct SignInView {
    /// What was typed before, after a refusal.
    var username: String?
    /// A path of the panel to go to afterwards.
    var next: String
    /// The app that sent the viewer here; nil where the panel itself was opened.
    var app: String?
    var signedOut: Bool

    init(username: String = "", next: String, signedOut: Bool = false) {
        self.username = username.isEmpty ? nil : username
        self.next = next
        self.signedOut = signedOut
        app = next.hasPrefix("/open?") ? FormFields(query: String(next.dropFirst("/open?".count)))["app"] : nil
    }
}
