import Foundation
import Models

/// What apt-get said when it could not install: which of the app's Debian packages it is about.
struct AptFailure: Sendable, Hashable {
    var message: String
    var hint: String

    /// - Parameters:
    ///   - output: the lines that apt-get wrote.
    ///   - place: where the app asks for a package, "apt-packages line 2".
    /// - Returns: nil where none of them is such a reason.
    init?(_ output: [String], place: (String) -> String?) {
        for line in output.reversed() where line.hasPrefix("E: ") {
            let words = line.split(separator: " ").map { $0.trimmingCharacters(in: ["'", "‘", "’"]) }
            if line.hasPrefix("E: Unable to locate package "), let name = words.last {
                message = "\(Self.prefix(place(name)))Debian has no package \(name)"
                hint = "look for its name on https://packages.debian.org/bookworm/"
                return
            }
            if line.hasPrefix("E: Version "), line.hasSuffix(" was not found"), words.count == 8 {
                message = "\(Self.prefix(place(words[4])))Debian has no \(words[4]) of version \(words[2])"
                hint = "leave the version out: Debian keeps one of each package"
                return
            }
            if line.hasPrefix("E: Package "), line.hasSuffix(" has no installation candidate"), words.count > 2 {
                message = "\(Self.prefix(place(words[2])))Debian knows of \(words[2]), but has it not to install"
                hint = "look for what takes its place on https://packages.debian.org/bookworm/"
                return
            }
            if line.hasPrefix("E: Failed to fetch ") || line.hasPrefix("E: Some index files failed to download") {
                message = "Debian's archive could not be reached"
                hint = "try again; if it stays so, the platform's admin must check that builds reach it"
                return
            }
        }
        return nil
    }

    private static func prefix(_ place: String?) -> String { place.map { "\($0): " } ?? "" }
}
