// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order of a push's journey; DESIGN: push → build → image → release → replica → request.
// A station imports Models, Store and Engine, never another station; Platform wires them.

let package = Package(
    name: "moorage",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "moor", targets: ["moor"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        .systemLibrary(name: "CGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        .target(name: "Models"),
        .target(name: "Store", dependencies: ["Models", grdb]),
        .target(name: "Engine", dependencies: ["Models", asyncHTTPClient, log, nioCore, nioFoundationCompat, nioHTTP1, nioPosix, yams]),

        .target(
            name: "Accounts",
            dependencies: ["Models", "Store", grdb, crypto, cryptoExtras, jwtKit, log, lifecycle]
        ),
        .target(
            name: "Pushes",
            dependencies: [
                "Models", "Store", "CGit2", "CZlib", grdb, log, hummingbird, nioCore, nioPosix, subprocess, lifecycle,
            ]
        ),
        .target(
            name: "Builds", dependencies: ["Models", "Store", "Engine", "CZlib", grdb, log, nioCore, subprocess, lifecycle, yams, crypto]),
        .target(name: "Releases", dependencies: ["Models", "Store", grdb, log, lifecycle, crypto]),
        .target(
            name: "Orchestrators",
            dependencies: ["Models", "Store", "Engine", grdb, log, lifecycle, asyncHTTPClient, nioCore, nioPosix, subprocess]
        ),
        .target(name: "Autoscaling", dependencies: ["Models", "Store", grdb, log, lifecycle]),
        .target(
            name: "Gateway",
            dependencies: ["Models", log, lifecycle, nioCore, nioPosix, nioHTTP1]
        ),
        .target(name: "Telemetry", dependencies: ["Models", log]),
        .target(name: "Commands", dependencies: ["Models", nioCore, nioFoundationCompat, nioWebSocket]),
        .target(
            name: "API",
            dependencies: [
                "Models", "Store", "Commands", grdb, log, hummingbird, hummingbirdCore, httpTypes, nioCore, nioHTTP1, nioHTTPTypes,
                nioHTTPTypesHTTP1, nioWebSocket,
            ]
        ),
        .target(name: "Panel", dependencies: ["Models", "Store", grdb, crypto, log, hummingbird, mustache, nioCore, httpTypes]),
        .target(
            name: "Platform",
            dependencies: [
                "Models", "Store", "Engine", "Accounts", "Pushes", "Builds", "Releases", "Orchestrators", "Gateway",
                "Telemetry", "API", "Panel", grdb, log, lifecycle, hummingbird, yams, subprocess, nioPosix, nioCore,
                asyncHTTPClient, systemPackage, unixSignals,
            ]
        ),
        .executableTarget(
            name: "moor",
            dependencies: [
                "Models", "Commands", "Platform", "Pushes", "Telemetry", argumentParser, asyncHTTPClient, log, nioCore, nioHTTP1, nioPosix,
                nioSSL, nioWebSocket, subprocess,
            ]
        ),

        .target(name: "TestSupport", dependencies: ["Models", "Store", grdb, crypto, nioCore, nioPosix, nioHTTP1, subprocess, log]),
        .testTarget(name: "ModelsTests", dependencies: ["Models", "TestSupport"]),
        .testTarget(name: "StoreTests", dependencies: ["Store", "TestSupport", grdb]),
        .testTarget(name: "EngineTests", dependencies: ["Engine", "TestSupport", log, nioCore]),
        .testTarget(name: "AccountsTests", dependencies: ["Accounts", "Store", "TestSupport", grdb, jwtKit, hummingbird]),
        .testTarget(name: "PushesTests", dependencies: ["Pushes", "Store", "TestSupport", grdb, hummingbird, subprocess, log]),
        .testTarget(
            name: "BuildsTests",
            dependencies: [
                "Builds", "Engine", "Store", "TestSupport", grdb, log, asyncHTTPClient, nioCore, nioHTTP1, subprocess,
            ]
        ),
        .testTarget(name: "ReleasesTests", dependencies: ["Releases", "Store", "TestSupport", grdb, log]),
        .testTarget(
            name: "OrchestratorsTests",
            dependencies: [
                "Orchestrators", "Commands", "Engine", "Store", "TestSupport", grdb, log, lifecycle, asyncHTTPClient, nioCore, nioPosix,
                subprocess,
            ]
        ),
        .testTarget(name: "AutoscalingTests", dependencies: ["Autoscaling", "Store", "TestSupport", grdb, log]),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["Gateway", "TestSupport", lifecycle, log, nioCore, nioPosix, nioHTTP1, nioEmbedded, asyncHTTPClient]
        ),
        .testTarget(
            name: "APITests",
            dependencies: [
                "API", "Store", "TestSupport", grdb, hummingbird, hummingbirdTesting, httpTypes, asyncHTTPClient, log, nioCore, nioHTTP1,
            ]
        ),
        .testTarget(
            name: "PanelTests",
            dependencies: ["Panel", "Accounts", "Store", "TestSupport", grdb, hummingbird, httpTypes, log, nioCore, nioEmbedded]
        ),
        .testTarget(name: "CommandsTests", dependencies: ["Commands", "TestSupport", nioCore, nioEmbedded, nioWebSocket]),
        .testTarget(name: "PlatformTests", dependencies: ["Platform", "Models", "Store", "TestSupport", grdb, log, lifecycle]),
        .testTarget(
            name: "MoorTests",
            dependencies: [
                "moor", "API", "Commands", "Models", "Store", "TestSupport", argumentParser, hummingbird, hummingbirdTesting, log, nioCore,
                subprocess,
            ]
        ),
    ]
)

var grdb: Target.Dependency { .product(name: "GRDB", package: "GRDB.swift") }
var log: Target.Dependency { .product(name: "Logging", package: "swift-log") }
var nioCore: Target.Dependency { .product(name: "NIOCore", package: "swift-nio") }
var nioPosix: Target.Dependency { .product(name: "NIOPosix", package: "swift-nio") }
var nioHTTP1: Target.Dependency { .product(name: "NIOHTTP1", package: "swift-nio") }
var nioFoundationCompat: Target.Dependency { .product(name: "NIOFoundationCompat", package: "swift-nio") }
var nioWebSocket: Target.Dependency { .product(name: "NIOWebSocket", package: "swift-nio") }
var nioSSL: Target.Dependency { .product(name: "NIOSSL", package: "swift-nio-ssl") }
var nioHTTPTypes: Target.Dependency { .product(name: "NIOHTTPTypes", package: "swift-nio-extras") }
var nioHTTPTypesHTTP1: Target.Dependency { .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras") }
var nioEmbedded: Target.Dependency { .product(name: "NIOEmbedded", package: "swift-nio") }
var asyncHTTPClient: Target.Dependency { .product(name: "AsyncHTTPClient", package: "async-http-client") }
var crypto: Target.Dependency { .product(name: "Crypto", package: "swift-crypto") }
var cryptoExtras: Target.Dependency { .product(name: "CryptoExtras", package: "swift-crypto") }
var httpTypes: Target.Dependency { .product(name: "HTTPTypes", package: "swift-http-types") }
var hummingbird: Target.Dependency { .product(name: "Hummingbird", package: "hummingbird") }
var hummingbirdCore: Target.Dependency { .product(name: "HummingbirdCore", package: "hummingbird") }
var hummingbirdTesting: Target.Dependency { .product(name: "HummingbirdTesting", package: "hummingbird") }
var jwtKit: Target.Dependency { .product(name: "JWTKit", package: "jwt-kit") }
var lifecycle: Target.Dependency { .product(name: "ServiceLifecycle", package: "swift-service-lifecycle") }
var unixSignals: Target.Dependency { .product(name: "UnixSignals", package: "swift-service-lifecycle") }
var mustache: Target.Dependency { .product(name: "Mustache", package: "swift-mustache") }
var subprocess: Target.Dependency { .product(name: "Subprocess", package: "swift-subprocess") }
var systemPackage: Target.Dependency { .product(name: "SystemPackage", package: "swift-system") }
var yams: Target.Dependency { .product(name: "Yams", package: "Yams") }
var argumentParser: Target.Dependency { .product(name: "ArgumentParser", package: "swift-argument-parser") }

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]
}
