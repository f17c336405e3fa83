import Foundation
import Models
import Mustache

/// The panel's mustache templates, parsed once.
struct Templates: Sendable {
    private let library: MustacheLibrary

    init(folder: String) throws(MoorError) {
        do {
            var library = MustacheLibrary()
            for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".mustache") {
                let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                try library.register(text, named: String(file.dropLast(".mustache".count)))
            }
            self.library = library
        } catch {
            throw MoorError(
                .unavailable, "the panel's templates cannot be read (\(folder))",
                hint: "check that the web folder is the one of this version",
                cause: error)
        }
    }

    /// - Throws: `internalError` where there is no such template.
    func render(_ page: Any, frame: Frame, template: String) throws(MoorError) -> String {
        guard let html = library.render(["frame": frame, "page": page] as [String: Any], withTemplate: template) else {
            throw MoorError(
                .internalError, "the page cannot be shown", hint: "the template \(template).mustache is missing from the web folder")
        }
        return html
    }
}

/// What stands around every page.
struct Frame: Sendable {
    var title: String
    var username: String?
    var isAdmin = false
    /// The token that every form of the page carries.
    var formToken: String
    var homeURL: String
    var styleURL: String
    var scriptURL: String
    var iconURL: String
    var onApps = false
    var onUsers = false
    var onAccount = false
    var notice: String?
    var problem: Problem?
}

/// A `MoorError` as a page shows it.
struct Problem: Sendable {
    var message: String
    var hint: String?
    var detail: String?

    init(_ error: MoorError) {
        message = error.message.prefix(1).uppercased() + error.message.dropFirst()
        hint = error.hint.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        detail = error.detail.isEmpty ? nil : error.detail.joined(separator: "\n")
    }
}
