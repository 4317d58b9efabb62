// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The unpacked torch wheel: $TORCH_HOME, or what `make setup` linked into the checkout.
let torchHome =
    Context.environment["TORCH_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    ?? "\(Context.packageDirectory)/.libtorch"
guard FileManager.default.fileExists(atPath: "\(torchHome)/include/ATen/ATen.h") else {
    FileHandle.standardError.write(
        Data("no libtorch at \(torchHome): run `make setup`, or correct TORCH_HOME.\n".utf8))
    exit(1)
}
let torchLibraries = "\(torchHome)/lib"
var torchLinkerFlags = ["-L\(torchLibraries)", "-Xlinker", "-rpath", "-Xlinker", torchLibraries]
#if os(Linux)
    // libtorch_cpu is linked against libraries of its own, which GNU's linkers want to see too.
    torchLinkerFlags += ["-Xlinker", "-rpath-link", "-Xlinker", torchLibraries]
#endif

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// One Swift target of ours, with the settings that all of them share.
func target(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [])
    -> Target
{
    .target(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

/// The tests of one target.
///
/// They use the public and package interface, so that they run on the very build that people use.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], exclude: exclude,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "FramePack",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "framepack", targets: ["FramePackCLI"]),
        .library(name: "FramePack", targets: ["FramePack"]),
        // Loaded by `Media` at first use, so that nothing else needs FFmpeg to start.
        .library(name: "FramePackMedia", type: .dynamic, targets: ["CFFmpeg"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        // Tensors.
        .target(
            name: "CTorch",
            // Text for another compiler, which is embedded.
            exclude: [
                "gloo-declarations/README.md", "cuda/numbers.cu", "cuda/tokens.cu", "cuda/frame.cu",
                "cuda/products.cu",
            ],
            cxxSettings: [
                .unsafeFlags([
                    "-isystem", "\(torchHome)/include",
                    // What c10d's headers include.
                    "-isystem", "\(torchHome)/include/torch/csrc/api/include",
                ]),
                .headerSearchPath("gloo-declarations"),
            ],
            linkerSettings: [
                .unsafeFlags(torchLinkerFlags),
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]),
        target("Torch", ["CTorch"]),
        target("TorchNN", ["Torch"]),
        target("TorchOptim", ["Torch", "TorchNN"]),
        target("TorchDistributed", ["CTorch", "Torch"]),
        target("Checkpoints", ["Torch", "TorchNN"]),
        // Text, pictures, and the world of the small model: no tensors.
        target("Tokenizers"),
        .target(name: "CMedia"),
        .systemLibrary(
            name: "FFmpeg", path: "Sources/FFmpeg",
            pkgConfig: "libavformat libavcodec libswscale libavutil",
            providers: [
                .apt([
                    "libavformat-dev", "libavcodec-dev", "libswscale-dev", "libavutil-dev",
                ]),
                .brew(["ffmpeg"]),
            ]),
        .target(name: "CFFmpeg", dependencies: ["CMedia", "FFmpeg"]),
        target("Media", ["CMedia"]),
        target("FramePackMetrics"),
        target("ToyWorld", ["FramePackMetrics"]),
        // Networks, the method, training, the command.
        target("Models", ["Torch", "TorchNN"]),
        target("FramePack", ["Torch", "TorchNN", "Models", "Checkpoints", "Tokenizers", "Media"]),
        target(
            "FramePackTraining",
            [
                "FramePack", "Torch", "TorchNN", "TorchOptim", "TorchDistributed", "Models",
                "Checkpoints", "Tokenizers", "Media", "ToyWorld", "FramePackMetrics",
            ]),
        target(
            "FramePackBench", ["FramePack", "Models", "Checkpoints", "TorchNN", "Torch"]),
        .executableTarget(
            name: "FramePackCLI",
            dependencies: [
                "FramePack", "FramePackTraining", "FramePackBench", "Torch", "TorchNN",
                "TorchOptim",
                "TorchDistributed", "Models", "Checkpoints", "Tokenizers", "Media", "ToyWorld",
                "FramePackMetrics",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings),
        // Tests.
        .target(
            name: "TestSupport", dependencies: ["Torch", "TorchNN", "Checkpoints"],
            path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .target(
            name: "CUDAEmulator", path: "Tests/CUDAEmulator",
            cxxSettings: [.headerSearchPath("../../Sources/CTorch/cuda")]),
        tests("Torch", ["Torch", "CUDAEmulator"]),
        tests("TorchNN", ["TorchNN", "Torch", "CUDAEmulator"]),
        tests("TorchOptim", ["TorchOptim", "TorchNN", "Torch"]),
        tests("TorchDistributed", ["TorchDistributed", "Torch"]),
        tests("Checkpoints", ["Checkpoints", "TorchNN", "Torch"]),
        tests("Tokenizers", ["Tokenizers"]),
        tests("Media", ["Media"]),
        tests("FramePackMetrics", ["FramePackMetrics"]),
        tests("ToyWorld", ["ToyWorld"]),
        tests("Models", ["Models", "Checkpoints", "TorchNN", "Torch", "CUDAEmulator"]),
        tests("FramePack", ["FramePack", "Models", "Checkpoints", "TorchNN", "Torch", "Media"]),
        tests(
            "FramePackTraining",
            [
                "FramePackTraining", "FramePack", "Models", "Checkpoints", "Media",
                "ToyWorld", "FramePackMetrics", "TorchOptim", "TorchDistributed", "TorchNN",
                "Torch",
            ]),
        tests(
            "FramePackBench",
            ["FramePackBench", "FramePack", "Models", "Checkpoints", "TorchNN", "Torch"]),
        tests(
            "FramePackCLI", ["FramePackCLI", "FramePack", "Checkpoints", "Torch", "Media"],
            exclude: ["Snapshots"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
