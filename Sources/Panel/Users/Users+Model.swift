import Models

/// What the form for a new account says.
struct NewUser: Sendable {
    var summary: UserSummary
    var password: String

    /// - Throws: `invalid` where a field is missing that has no default.
    init(_ form: FormFields) throws(MoorError) {
        guard let role = PlatformRole(rawValue: form.text("role")) else {
            throw MoorError(.invalid, "No role was chosen", hint: "Choose viewer, developer or admin.")
        }
        let groups = form.text("groups").split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
        summary = UserSummary(
            username: form.text("username"), name: form.text("name"), email: form.text("email"), role: role, groups: groups)
        password = form["password"] ?? ""
    }
}
