import Models
import Testing

@Suite struct AppPolicyTests {
    /// Who somebody is, to the platform and to the app.
    enum Person: CaseIterable, Sendable {
        case anonymous, admin, stranger, viewer, collaborator, owner

        var principal: Principal? {
            if self == .anonymous { return nil }
            return Principal(userID: UserID(1), username: "x", role: self == .admin ? .admin : .viewer, means: .password)
        }
        var appRole: AppRole? {
            switch self {
            case .anonymous, .admin, .stranger: nil
            case .viewer: .viewer
            case .collaborator: .collaborator
            case .owner: .owner
            }
        }
    }

    static let mayView: [AccessMode: Set<Person>] = [
        .public: Set(Person.allCases),
        .signedIn: [.admin, .stranger, .viewer, .collaborator, .owner],
        .named: [.admin, .viewer, .collaborator, .owner],
    ]

    @Test(arguments: AccessMode.allCases, Person.allCases)
    func `who may look depends on the app's access`(access: AccessMode, person: Person) {
        let allowed = AppPolicy.allows(.view, principal: person.principal, appRole: person.appRole, access: access)
        #expect(allowed == Self.mayView[access]?.contains(person))
    }

    @Test(arguments: AccessMode.allCases, Person.allCases)
    func `who may do more does not depend on it`(access: AccessMode, person: Person) {
        func allows(_ action: AppAction) -> Bool {
            AppPolicy.allows(action, principal: person.principal, appRole: person.appRole, access: access)
        }
        let works = [Person.admin, .collaborator, .owner].contains(person)
        #expect(allows(.inspect) == works)
        #expect(allows(.operate) == works)
        #expect(allows(.runCommands) == works)
        #expect(allows(.govern) == [Person.admin, .owner].contains(person))
    }

    @Test(arguments: AppAction.allCases)
    func `a role without anybody signed in counts for nothing`(action: AppAction) {
        #expect(!AppPolicy.allows(action, principal: nil, appRole: .owner, access: .named))
    }

    @Test(arguments: zip(PlatformRole.allCases, [true, true, false]))
    func `viewers create no apps`(role: PlatformRole, may: Bool) {
        #expect(AppPolicy.mayCreateApps(Principal(userID: UserID(1), username: "x", role: role, means: .password)) == may)
    }

    @Test func `roles are ordered by what they may do`() {
        #expect(AppRole.viewer < .collaborator && AppRole.collaborator < .owner)
    }
}
