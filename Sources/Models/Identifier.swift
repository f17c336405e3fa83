/// A row's primary key, typed by what it identifies, so that a release's id never lands where an app's is wanted.
package struct Identifier<Subject>: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package var rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }
    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package var description: String { String(rawValue) }
}

package enum UserSubject {}
package enum TokenSubject {}
package enum SessionSubject {}
package enum AppSubject {}
package enum PushSubject {}
package enum BuildSubject {}
package enum ImageSubject {}
package enum ReleaseSubject {}
package enum ReplicaSubject {}

package typealias UserID = Identifier<UserSubject>
package typealias TokenID = Identifier<TokenSubject>
package typealias SessionID = Identifier<SessionSubject>
package typealias AppID = Identifier<AppSubject>
package typealias PushID = Identifier<PushSubject>
package typealias BuildID = Identifier<BuildSubject>
package typealias ImageID = Identifier<ImageSubject>
package typealias ReleaseID = Identifier<ReleaseSubject>
package typealias ReplicaID = Identifier<ReplicaSubject>
