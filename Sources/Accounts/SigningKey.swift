import Crypto
import CryptoExtras
import Foundation
import JWTKit
import Models

/// The RSA key that signs viewers' identities, kept in a file so that tokens stay good over a restart.
struct SigningKey: Sendable {
    /// The key's thumbprint (RFC 7638), so that it names the same key on every machine.
    let id: String
    /// The public half as a JWKS document (RFC 7517 section 5).
    let jwks: String
    private let keys: JWTKeyCollection

    private init(_ key: _RSA.Signing.PrivateKey) async throws {
        let (modulus, exponent) = try Insecure.RSA.PublicKey(backing: key.publicKey).getKeyPrimitives()
        let (n, e) = (modulus.base64URL, exponent.base64URL)
        id = Data(SHA256.hash(data: Data(#"{"e":"\#(e)","kty":"RSA","n":"\#(n)"}"#.utf8))).base64URL
        jwks = #"{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"\#(id)","n":"\#(n)","e":"\#(e)"}]}"#
        keys = JWTKeyCollection()
        await keys.add(rsa: try Insecure.RSA.PrivateKey(backing: key), digestAlgorithm: .sha256, kid: JWKIdentifier(string: id))
    }

    func sign(_ claims: ViewerClaims) async throws(MoorError) -> String {
        do {
            return try await keys.sign(claims, kid: JWKIdentifier(string: id))
        } catch {
            throw .wrapping(error, "the viewer's identity could not be signed")
        }
    }

    /// - Throws: `unavailable` where the folder cannot be used or the file in it is not a key.
    static func load(folder: String) async throws(MoorError) -> SigningKey {
        let path = folder + "/" + fileName
        do {
            let files = FileManager.default
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
            if !files.fileExists(atPath: path) {
                try write(newPEM(), to: path)
            }
            let pem = try String(contentsOfFile: path, encoding: .utf8)
            return try await SigningKey(_RSA.Signing.PrivateKey(pemRepresentation: pem))
        } catch {
            throw MoorError(
                .unavailable, "the key that signs viewers' identities cannot be read or made (\(path))",
                hint: "check the folder's owner and free space; a damaged key file may be removed, a new key is made then", cause: error)
        }
    }

    /// A new key of 2048 bits (RFC 7518 section 3.3 asks for no less).
    static func newPEM() throws -> String { try _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation }

    /// Where `load` looks for the key inside its folder.
    static let fileName = "viewer-signing-key.pem"

    /// Whole or not at all, so that a crash leaves no half key behind.
    private static func write(_ pem: String, to path: String) throws {
        let draft = path + ".new"
        try? FileManager.default.removeItem(atPath: draft)
        guard FileManager.default.createFile(atPath: draft, contents: Data(), attributes: [.posixPermissions: 0o600]) else {
            throw CocoaError(.fileWriteUnknown)
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: draft))
        try handle.write(contentsOf: Data(pem.utf8))
        try handle.synchronize()
        try handle.close()
        try FileManager.default.moveItem(atPath: draft, toPath: path)
    }
}
