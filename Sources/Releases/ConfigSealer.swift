import Crypto
import Foundation
import Models

/// Seals config with AES-256-GCM (NIST SP 800-38D), bound to the app and to what it is for, so that a sealed value is of
/// no use in another row.
struct ConfigSealer: Sendable {
    enum Purpose: Sendable {
        /// One current config variable.
        case value(key: String)
        /// One value for builds.
        case buildValue(key: String)
        /// The config of release v*n*.
        case snapshot(number: Int)

        fileprivate var text: String {
            switch self {
            case .value(let key): "config/\(key)"
            case .buildValue(let key): "build-config/\(key)"
            case .snapshot(let number): "release/\(number)"
            }
        }
    }

    private let key: SymmetricKey
    private let main: SymmetricKey

    init(key main: SymmetricKey) {
        self.main = main
        key = HKDF<SHA256>.deriveKey(inputKeyMaterial: main, info: Data("moorage config sealing 1".utf8), outputByteCount: 32)
    }

    /// - Returns: nonce, ciphertext and tag.
    func seal(_ plain: Data, app: AppID, for purpose: Purpose) throws(MoorError) -> Data {
        do {
            guard let sealed = try AES.GCM.seal(plain, using: key, authenticating: associated(app, purpose)).combined else {
                throw CryptoKitError.incorrectParameterSize
            }
            return sealed
        } catch {
            throw MoorError(.internalError, "config could not be sealed", hint: "the platform's log has the cause", cause: error)
        }
    }

    /// - Throws: `unavailable` where it was sealed with another key, for another app or purpose, or is damaged.
    func open(_ sealed: Data, app: AppID, for purpose: Purpose) throws(MoorError) -> Data {
        do {
            return try AES.GCM.open(AES.GCM.SealedBox(combined: sealed), using: key, authenticating: associated(app, purpose))
        } catch {
            throw MoorError(
                .unavailable, "the app's config cannot be read with the platform's key",
                hint: "restore the key file that belongs to this database", cause: error)
        }
    }

    /// The app's `DASH_SECRET_KEY`: stable as long as the key file is, and telling nothing about it (HKDF, RFC 5869).
    func appSecret(_ app: AppID) -> String {
        let secret = HKDF<SHA256>.deriveKey(inputKeyMaterial: main, info: Data("moorage app \(app) secret".utf8), outputByteCount: 32)
        // unsafe: copied while the key's bytes are borrowed.
        return unsafe secret.withUnsafeBytes { unsafe Data($0) }.base64EncodedString()
    }

    private func associated(_ app: AppID, _ purpose: Purpose) -> Data { Data("app/\(app)/\(purpose.text)".utf8) }
}

extension ConfigSealer {
    func sealSnapshot(_ config: [String: String], app: AppID, number: Int) throws(MoorError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let plain = try? encoder.encode(config) else { throw MoorError(.internalError, "config could not be encoded") }
        return try seal(plain, app: app, for: .snapshot(number: number))
    }

    func openSnapshot(_ sealed: Data, app: AppID, number: Int) throws(MoorError) -> [String: String] {
        let plain = try open(sealed, app: app, for: .snapshot(number: number))
        guard let config = try? JSONDecoder().decode([String: String].self, from: plain) else {
            throw MoorError(.internalError, "the config of v\(number) could not be decoded", hint: "restore a backup of the database")
        }
        return config
    }

    func sealValue(_ value: String, key: String, app: AppID) throws(MoorError) -> Data {
        try seal(Data(value.utf8), app: app, for: .value(key: key))
    }

    func openValue(_ sealed: Data, key: String, app: AppID) throws(MoorError) -> String {
        String(decoding: try open(sealed, app: app, for: .value(key: key)), as: UTF8.self)
    }

    func sealBuildValue(_ value: String, key: String, app: AppID) throws(MoorError) -> Data {
        try seal(Data(value.utf8), app: app, for: .buildValue(key: key))
    }

    func openBuildValue(_ sealed: Data, key: String, app: AppID) throws(MoorError) -> String {
        String(decoding: try open(sealed, app: app, for: .buildValue(key: key)), as: UTF8.self)
    }
}
