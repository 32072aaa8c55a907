// swift-tools-version:6.0
// The walk with the generated client, which script/test-clients copies beside it.
import PackageDescription

let package = Package(
    name: "Walk",
    targets: [
        .target(name: "BookBridge"),
        .executableTarget(name: "Walk", dependencies: ["BookBridge"]),
    ],
    swiftLanguageModes: [.v6]
)
