import ArgumentParser

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the platform.")

    func run() async throws {
        throw ValidationError("not in this build")
    }
}
