import Models
import Testing

@Suite struct MoorErrorTests {
    struct Leaky: Error { var secret = "hunter2" }

    @Test func `a terminal shows message, detail and hint, in this order`() {
        let error = MoorError(.appFailed, "web.1 did not come up", hint: "push again", detail: ["line 1", "line 2"])
        #expect(error.lines == ["web.1 did not come up", "    line 1", "    line 2", "hint: push again"])
        #expect(error.description == "web.1 did not come up\n    line 1\n    line 2\nhint: push again")
        #expect("\(MoorError(.conflict, "no"))" == "no")
    }

    @Test func `the cause is for the platform's log alone`() {
        let error = MoorError(.internalError, "it failed", cause: Leaky())
        #expect(error.cause?.contains("hunter2") == true)
        #expect(!error.description.contains("hunter2"))
    }

    @Test func `any error becomes one for people`() {
        let own = MoorError(.conflict, "no", hint: "x")
        #expect(MoorError.wrapping(own) == own)
        #expect(MoorError.wrapping(CancellationError()).code == .cancelled)
        let other = MoorError.wrapping(Leaky(), "it failed")
        #expect(other.code == .internalError && other.message == "it failed" && other.hint != nil)
        #expect(!other.description.contains("hunter2"))
    }

    @Test(arguments: MoorError.Code.allCases)
    func `each code has an HTTP status of an error`(code: MoorError.Code) {
        #expect((400...599).contains(code.httpStatus))
        #expect(MoorError.Code(rawValue: code.rawValue) == code)
    }

    @Test func `statuses tell codes apart`() {
        #expect(Set(MoorError.Code.allCases.map(\.httpStatus)).count == MoorError.Code.allCases.count)
    }
}
