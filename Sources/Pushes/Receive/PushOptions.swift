import Models

/// What a push says beside its commits, by `git push -o` (git-push(1)). Pure.
struct PushOptions: Sendable, Equatable {
    /// Of a hundred viewers, how many the release gets beside the live one.
    var canaryPercent: Int?

    /// - Throws: `invalid` for an option that is not known: who asks for something should not get something else.
    init(_ options: [String]) throws(MoorError) {
        for option in options {
            guard option.hasPrefix("canary=") else {
                throw MoorError(
                    .invalid, "the push option “\(option.prefix(60))” is not known here", hint: "there is one: git push -o canary=10%")
            }
            let text = option.dropFirst("canary=".count)
            guard let percent = Int(text.hasSuffix("%") ? text.dropLast() : text), (1...99).contains(percent) else {
                throw MoorError(.invalid, "“\(option.prefix(60))” is no share of the viewers", hint: "use 1 to 99, such as canary=10%")
            }
            canaryPercent = percent
        }
    }
}
