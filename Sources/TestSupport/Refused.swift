package import Models
package import Testing

/// The `MoorError` that the body ends with; an issue is recorded where it ends well or with another error.
///
/// In place of `#expect(throws:)` inside another closure: there swiftc 6.3 miscompiles typed errors.
package func refused<T>(sourceLocation: SourceLocation = #_sourceLocation, of body: () async throws -> T) async -> MoorError? {
    do {
        _ = try await body()
        Issue.record("an error was expected", sourceLocation: sourceLocation)
    } catch let error as MoorError {
        return error
    } catch {
        Issue.record("not an error for people: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}
