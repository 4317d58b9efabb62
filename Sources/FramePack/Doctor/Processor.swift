import Foundation

/// The machine's processor, as far as it decides the speed.
public struct Processor: Codable, Equatable, Sendable {
    /// Its name as its maker gives it.
    public let name: String
    /// Cores that this process may use.
    public let cores: Int
    /// Which of the features that libtorch makes use of it has, by name.
    public let features: [String: Bool]

    /// The names of features, and the flags by which Linux knows them.
    static let flags = [
        ("AVX2", "avx2"), ("AVX512", "avx512f"), ("AVX512-BF16", "avx512_bf16"),
        ("VNNI", "avx512_vnni"), ("AMX", "amx_tile"),
    ]

    /// The features in the order in which reports list them.
    static let featureNames = flags.map(\.0)

    /// Reads the machine's own.
    public static func current() -> Processor {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        #if os(Linux)
            let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            return Processor(cpuInfo: text, cores: cores)
        #else
            let name = sysctl("machdep.cpu.brand_string") ?? "unknown"
            let known = sysctl("machdep.cpu.leaf7_features")?.lowercased() ?? ""
            return Processor(
                name: name, cores: cores,
                features: Dictionary(
                    uniqueKeysWithValues: flags.map { ($0, known.contains($1)) }))
        #endif
    }

    init(name: String, cores: Int, features: [String: Bool]) {
        (self.name, self.cores, self.features) = (name, cores, features)
    }

    /// Reads the text of `/proc/cpuinfo`.
    package init(cpuInfo: String, cores: Int) {
        func value(_ keys: [String]) -> String? {
            cpuInfo.split(separator: "\n").lazy.compactMap { line -> String? in
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2,
                    keys.contains(parts[0].trimmingCharacters(in: .whitespaces))
                else { return nil }
                return parts[1].trimmingCharacters(in: .whitespaces)
            }.first
        }
        // Arm's kernel says "Features" where x86's says "flags".
        let found = Set(
            (value(["flags", "Features"]) ?? "").split(separator: " ").map(String.init))
        self.init(
            name: value(["model name", "Processor", "CPU part"]) ?? "unknown", cores: cores,
            features: Dictionary(
                uniqueKeysWithValues: Self.flags.map { name, flag in
                    (name, found.contains(flag) || (name == "VNNI" && found.contains("avx_vnni")))
                }))
    }

    #if !os(Linux)
        private static func sysctl(_ name: String) -> String? {
            var size = 0
            guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 0 else { return nil }
            var bytes = [UInt8](repeating: 0, count: size)
            guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    #endif
}

/// Memory and disk of the machine, in bytes.
public struct MachineSpace: Codable, Equatable, Sendable {
    /// The machine's memory.
    public let memory: Int
    /// Memory that programs can have now; nil where that is not known.
    public let availableMemory: Int?
    /// Free on the disk of the current folder; nil where that is not known.
    public let freeDisk: Int?

    /// Reads the machine's own.
    public static func current() -> MachineSpace {
        let attributes = try? FileManager.default.attributesOfFileSystem(
            forPath: FileManager.default.currentDirectoryPath)
        let info = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
        let line = info.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return MachineSpace(
            memory: Int(ProcessInfo.processInfo.physicalMemory),
            availableMemory: kilobytes.map { $0 * 1024 },
            freeDisk: (attributes?[.systemFreeSize] as? NSNumber)?.intValue)
    }
}
