import Foundation
import Models
import Testing

@Suite struct AppNameTests {
    @Test(arguments: ["a", "sales", "sales-2", "a1", "a--b", String(repeating: "a", count: 40)])
    func `one DNS label of lower-case letters, digits and hyphens is a name`(name: String) throws {
        #expect(try AppName(validating: name).rawValue == name)
        #expect(AppName(rawValue: name)?.description == name)
    }

    @Test(arguments: [
        "", "1a", "-a", "a-", "Sales", "a_b", "a.b", "a b", "ä", "a\n", "a\0", "../a", String(repeating: "a", count: 41), "ａ",
    ])
    func `anything else is refused with what would do`(name: String) {
        let error = #expect(throws: MoorError.self) { try AppName(validating: name) }
        #expect(error?.code == .invalid)
        #expect(error?.hint?.contains("sales-2") == true)
        #expect(error?.message.contains("\n") == false)
        #expect(AppName(rawValue: name) == nil)
    }

    @Test(arguments: AppName.reserved.sorted())
    func `the platform's own names are refused`(name: String) {
        let error = #expect(throws: MoorError.self) { try AppName(validating: name) }
        #expect(error?.message.contains("reserved") == true)
    }

    @Test func `decoding validates`() throws {
        #expect(try JSONDecoder().decode([AppName].self, from: Data(#"["sales"]"#.utf8)).map(\.rawValue) == ["sales"])
        #expect(throws: MoorError.self) { try JSONDecoder().decode([AppName].self, from: Data(#"["Sales"]"#.utf8)) }
        #expect(try String(decoding: JSONEncoder().encode([AppName(validating: "sales")]), as: UTF8.self) == #"["sales"]"#)
    }
}
