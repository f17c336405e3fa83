import Models

/// What a user may be called, and what else of a user is checked before it is stored.
enum Username {
    /// Letters, digits, `.` `_` `-` `@`, at most 64: safe in a URL, a header field and a shell word.
    static func validate(_ name: String) throws(MoorError) {
        let bytes = Array(name.utf8)
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard (1...64).contains(bytes.count), isWord(bytes[0]), bytes.allSatisfy({ isWord($0) || [0x2E, 0x5F, 0x2D, 0x40].contains($0) })
        else {
            throw MoorError(
                .invalid, "“\(printable(name))” cannot be a user name",
                hint: "use at most 64 letters, digits and . _ - @, starting with a letter or digit, such as ada.example")
        }
    }

    static func validate(password: String) throws(MoorError) {
        guard password.count >= 10 else {
            throw MoorError(.invalid, "the password is too short", hint: "use at least 10 characters; four random words do well")
        }
        guard password.utf8.count <= 1_024 else {
            throw MoorError(.invalid, "the password is too long", hint: "use at most 1024 bytes")
        }
    }

    static func validate(_ user: UserSummary) throws(MoorError) {
        try validate(user.username)
        guard user.name.utf8.count <= 200, !hasControls(user.name) else {
            throw MoorError(.invalid, "the name is too long or has control characters in it", hint: "use one line of at most 200 bytes")
        }
        guard user.email.isEmpty || isEmail(user.email) else {
            throw MoorError(
                .invalid, "“\(printable(user.email))” is not an email address", hint: "write it as ada@example.com, or leave it out")
        }
        for group in user.groups where group.isEmpty || group.utf8.count > 128 || hasControls(group) {
            throw MoorError(.invalid, "“\(printable(group))” cannot be a group's name", hint: "use one line of at most 128 bytes")
        }
    }

    /// Cut and without line breaks, as part of a message.
    static func printable(_ text: String) -> String {
        String(text.prefix(80).filter { !$0.isNewline && !$0.unicodeScalars.contains { $0.value < 0x20 } })
    }

    static func hasControls(_ text: String) -> Bool { text.unicodeScalars.contains { $0.properties.generalCategory == .control } }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return text.utf8.count <= 254 && parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && !hasControls(text)
            && !text.contains(where: \.isWhitespace)
    }
}
