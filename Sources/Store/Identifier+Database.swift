import GRDB
package import Models

extension Identifier: DatabaseValueConvertible {}
extension AppName: DatabaseValueConvertible {}
extension PlatformRole: DatabaseValueConvertible {}
extension AppRole: DatabaseValueConvertible {}
extension AccessMode: DatabaseValueConvertible {}
