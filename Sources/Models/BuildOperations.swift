/// What people can ask of an app's builds, offered by Platform to the API. Permission has been checked by the caller.
package protocol BuildOperations: Sendable {
    /// The names of the values that the app's builds are given, sorted; the values themselves are told to builds alone.
    func buildConfigNames(_ appID: AppID) async throws(MoorError) -> [String]
    /// Changes what the next builds are given. Makes no release, and no layer anew.
    /// - Throws: `invalid` for a bad name or too large a value.
    func setBuildConfig(_ appID: AppID, set: [String: String], unset: [String]) async throws(MoorError)
    /// What images, layers and caches take, of every app and together.
    func diskUse() async throws(MoorError) -> DiskUse
    /// What is installed in a release's image, as a CycloneDX 1.5 JSON document.
    /// - Parameter number: nil for the live release.
    /// - Throws: `notFound` where there is no such release, or nothing is kept of it.
    func bill(of appID: AppID, release number: Int?) async throws(MoorError) -> String
}
