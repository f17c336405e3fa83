import Models

/// Which config an app may have.
enum ConfigRules {
    /// Bytes of one value. Linux takes no more than 128 KiB for one variable (execve(2), MAX_ARG_STRLEN).
    static let valueLimit = 32 << 10
    /// Bytes of all names and values together.
    static let totalLimit = 256 << 10
    static let nameLimit = 128

    static func validate(name: String) throws(MoorError) {
        let bytes = Array(name.utf8)
        func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F }
        guard let first = bytes.first, isLetter(first), bytes.count <= nameLimit,
            bytes.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) })
        else {
            throw MoorError(
                .invalid, "“\(name.prefix(60).filter { !$0.isNewline })” cannot be the name of a config variable",
                hint: "use at most \(nameLimit) letters, digits and underscores, not starting with a digit, such as DATABASE_URL")
        }
        guard !isReserved(name) else {
            throw MoorError(.invalid, "\(name) is set by the platform", hint: "the app reads it; choose another name for its own config")
        }
    }

    /// Of a value for builds.
    static func validate(buildName name: String) throws(MoorError) {
        try validate(name: name)
        guard !reservedInBuilds.contains(name) else {
            throw MoorError(
                .invalid, "\(name) is set by the platform for every build", hint: "builds need it as it is; choose another name")
        }
    }

    static func validate(_ config: [String: String]) throws(MoorError) {
        var total = 0
        for (name, value) in config.sorted(by: { $0.key < $1.key }) {
            try validate(name: name)
            guard value.utf8.count <= valueLimit else {
                throw MoorError(
                    .invalid, "the value of \(name) has \(value.utf8.count) bytes; \(valueLimit) are allowed",
                    hint: "put large content into a file of the repository or a store of its own")
            }
            guard !value.utf8.contains(0) else {
                throw MoorError(.invalid, "the value of \(name) holds a zero byte", hint: "encode binary values, with base64 for example")
            }
            total += name.utf8.count + value.utf8.count
        }
        guard total <= totalLimit else {
            throw MoorError(
                .invalid, "the config would have \(total) bytes in all; \(totalLimit) are allowed",
                hint: "put large content into a file of the repository or a store of its own")
        }
    }

    private static let reservedInBuilds: Set = ["PATH", "HOME"]

    static func isReserved(_ name: String) -> Bool { name == "PORT" || name == "HOST" || name.hasPrefix("MOOR_") }
}
