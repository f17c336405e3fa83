/// A Procfile's command as it is given to the container's shell.
enum ShellCommand {
    /// Words after which `exec` would change what the line means, or that are no programs.
    private static let builtins: Set<String> = [
        ".", ":", "[", "alias", "break", "case", "cd", "command", "continue", "echo", "eval", "exec", "exit", "export", "false", "for",
        "getopts", "if", "printf", "pwd", "read", "readonly", "return", "set", "shift", "source", "test", "times", "trap", "true", "type",
        "ulimit", "umask", "unalias", "unset", "until", "wait", "while", "!", "{",
    ]

    /// Puts `exec` before a simple command (POSIX Shell Command Language, section 2.9.1), so that the program takes the
    /// shell's place and gets its signals. Anything else is left as it is.
    static func replacingShell(_ command: String) -> String {
        let text = command.drop { $0 == " " || $0 == "\t" }
        guard let first = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.map(String.init) else { return command }
        let isWord = first.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E, 0x2F, 0x5F: true
            default: false
            }
        }
        // A separator inside quotes is harmless, but so is leaving such a line alone.
        let isSimple = !text.contains { ";&|()\n`".contains($0) }
        return isWord && isSimple && !builtins.contains(first) ? "exec \(text)" : command
    }
}
