package import Foundation
import FramePack

/// What a benchmark found.
public struct BenchmarkReport: Codable, Equatable, Sendable {
    /// The machine and the programs.
    public struct Setting: Codable, Equatable, Sendable {
        /// The processor as its maker calls it.
        public var processor: String
        /// Cores that a process may use.
        public var cores: Int
        /// The GPU as its maker calls it; nil where the processor computed.
        public var gpu: String?
        /// Where it was computed.
        public var device: String
        /// The type that was computed in.
        public var dtype: String
        /// What our transformer's weights were rounded to; nil for nothing.
        public var weights: String?
        /// Threads of an operation; 0 for libtorch's choice.
        public var threads: Int
        /// The day, in the form 2026-01-31.
        public var day: String
        /// What ours consists of.
        public var ours: [String]
        /// What the peer consists of; empty without one.
        public var peer: [String]

        /// Puts the facts together.
        package init(
            processor: String, cores: Int, gpu: String? = nil, device: String, dtype: String,
            weights: String? = nil, threads: Int, day: String, ours: [String], peer: [String]
        ) {
            (self.processor, self.cores, self.gpu) = (processor, cores, gpu)
            (self.device, self.dtype, self.threads) = (device, dtype, threads)
            self.weights = weights
            (self.day, self.ours, self.peer) = (day, ours, peer)
        }

        /// A name for a file: the GPU's or the processor's in small letters and hyphens, and what the
        /// weights were rounded to.
        public var fileName: String {
            let name = ([gpu ?? processor] + (weights.map { [$0] } ?? []))
                .joined(separator: " ").lowercased()
            let words = name.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
            return words.isEmpty ? "machine" : words.joined(separator: "-")
        }
    }

    /// What one side needed for a case.
    public struct Side: Codable, Equatable, Sendable {
        /// Seconds of each run.
        public var seconds: [Double]
        /// Seconds of loading.
        public var loading: Double?
        /// The most memory that was resident, in bytes.
        public var resident: Int?
        /// The most memory of no file, in bytes.
        public var anonymous: Int?
        /// The most memory of a GPU that tensors held, in bytes.
        public var deviceAllocated: Int?
        /// Memory of a GPU that the process took in all, in bytes.
        public var deviceUsed: Int?
        /// The distance from the peer in float32, as a part of its magnitude.
        public var error: Double?
        /// Peak signal-to-noise ratio to the peer in float32, in dB, of a picture.
        public var psnr: Double?

        /// A side of which only times are known yet.
        package init(seconds: [Double], loading: Double? = nil) {
            (self.seconds, self.loading) = (seconds, loading)
        }

        /// The middle of the runs; nil where there was none.
        public var spread: Spread? { Spread(seconds) }
    }

    /// One case.
    public struct Result: Codable, Equatable, Sendable {
        /// Which case.
        public var name: BenchmarkCase
        /// Tokens of one run.
        public var tokens: Int?
        /// Floating point operations of one run.
        public var operations: Double?
        /// Parameters that were loaded.
        public var parameters: Int?
        /// Our side.
        public var ours: Side
        /// The peer's; nil if it was not measured.
        public var peer: Side?
        /// Why there is no peer, as a sentence.
        public var peerProblem: String?
        /// What others took of the processors during each run, ours and the peer's in turn; empty
        /// where the system does not tell.
        public var interference: [Double]
        /// Whether a pair of runs was disturbed, for each pair.
        public var disturbed: [Bool]

        /// Puts the figures together.
        package init(
            name: BenchmarkCase, tokens: Int?, operations: Double?, parameters: Int?, ours: Side,
            peer: Side? = nil, interference: [Double] = [], disturbed: [Bool] = []
        ) {
            (self.name, self.tokens, self.operations) = (name, tokens, operations)
            (self.parameters, self.ours, self.peer) = (parameters, ours, peer)
            (self.interference, self.disturbed) = (interference, disturbed)
        }

        /// The peer's time over ours, of each pair.
        public var ratios: [Double] {
            zip(peer?.seconds ?? [], ours.seconds).map { $0 / max($1, 1e-12) }
        }

        /// The middle of the ratios; nil without a peer.
        public var ratio: Spread? { Spread(ratios) }

        /// The middle of the ratios of those pairs that nobody disturbed; nil without any.
        public var quietRatio: Spread? {
            Spread(zip(ratios, disturbed).filter { !$1 }.map(\.0))
        }

        /// The largest part of the processors' time that others took during one run.
        public var worstInterference: Double? { interference.max() }

        /// The mean part of the processors' time that others took.
        public var meanInterference: Double? {
            interference.isEmpty ? nil : interference.reduce(0, +) / Double(interference.count)
        }
    }

    /// The machine and the programs.
    public var setting: Setting
    /// What was measured, in its order.
    public var results: [Result]
    /// The machine's load averages over a minute before and after.
    public var loadAverages: [Double]

    /// Puts the parts together.
    package init(setting: Setting, results: [Result], loadAverages: [Double]) {
        (self.setting, self.results, self.loadAverages) = (setting, results, loadAverages)
    }

    /// Writes `NAME.json` and `NAME.md`, named after the machine.
    ///
    /// - Returns: Both files.
    package func write(to folder: URL) throws -> [URL] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = ["json", "md"].map {
            folder.appendingPathComponent("\(setting.fileName).\($0)")
        }
        try (JSONEncoder.sorted.encode(self) + Data("\n".utf8)).write(to: files[0])
        try Data(markdown.utf8).write(to: files[1])
        return files
    }
}
