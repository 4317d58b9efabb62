import Checkpoints
public import Foundation
public import FramePack
public import Torch
import ToyWorld

/// Finds the codebook of a discrete history: K-means over latent pixels.
///
/// Source: arXiv 2504.12626v3, history discretization: Ω is the K-means codebook of all latent
/// pixels of a dataset. The first centres are drawn as in k-means++ (Arthur and Vassilvitskii, 2007).
public struct CodebookFitting {
    /// Entries of the codebook, K, 1 or more; the paper recommends 128.
    public var count: Int
    /// Rounds of Lloyd's algorithm at most; it ends earlier where no pixel changes its entry.
    public var rounds: Int
    /// Decides the first centres.
    public var seed: UInt64

    /// Prepares a fitting.
    public init(count: Int = 128, rounds: Int = 60, seed: UInt64 = 1) {
        (self.count, self.rounds, self.seed) = (count, rounds, seed)
    }

    /// What was found.
    public struct Result {
        /// The codebook.
        public let codebook: HistoryCodebook
        /// The share of the pixels' variance that their entries keep, at most 1.
        public let keptVariance: Double
        /// The mean distance of a pixel from its entry.
        public let distance: Double
        /// Rounds that were done.
        public let rounds: Int
    }

    /// Fits a codebook.
    ///
    /// - Parameter pixels: Latent pixels, `(n, C)` in the VAE's scaled units, n at least the count.
    /// - Throws: `TrainingError` for fewer pixels than entries.
    public func fit(_ pixels: Tensor) throws -> Result {
        guard pixels.rank == 2, pixels.dim(0) >= count, count > 0 else {
            throw TrainingError(
                "a codebook of \(count) entries wants as many latent pixels at least; there are "
                    + "\(pixels.shape.first ?? 0)")
        }
        let pixels = try pixels.to(.cpu, .float32).contiguous()
        let values = try pixels.array(Float.self)
        var entries = try firstEntries(pixels)
        var numbers: [Int64] = []
        var round = 0
        while round < rounds {
            let next = try HistoryCodebook(entries: entries).numbers(of: pixels).array(Int64.self)
            if next == numbers { break }
            numbers = next
            entries = try means(values, numbers, keeping: entries)
            round += 1
        }
        return try result(pixels, entries, round)
    }

    private func result(_ pixels: Tensor, _ entries: Tensor, _ rounds: Int) throws -> Result {
        let codebook = try HistoryCodebook(entries: entries)
        let nearest = try entries.indexSelect(0, codebook.numbers(of: pixels))
        let error = try (pixels - nearest).square().sum([1])
        let spread = try (pixels - pixels.mean([0], keepAxes: true)).square().sum([1]).mean().item()
        return Result(
            codebook: codebook, keptVariance: 1 - (try error.mean().item()) / max(spread, 1e-12),
            distance: try error.sqrt().mean().item(), rounds: rounds)
    }

    /// Pixels far from each other: each is drawn with odds of its squared distance to those before.
    private func firstEntries(_ pixels: Tensor) throws -> Tensor {
        var random = SplitMix64(seed: seed)
        let total = pixels.dim(0)
        var chosen = [Int.random(in: 0..<total, using: &random)]
        var distances = try squaredDistances(pixels, to: chosen[0])
        while chosen.count < count {
            let values = try distances.array(Float.self)
            let sum = values.reduce(0.0) { $0 + Double($1) }
            var draw = Double.random(in: 0..<1, using: &random) * sum
            let next = values.firstIndex {
                draw -= Double($0)
                return draw < 0
            }
            chosen.append(next ?? Int.random(in: 0..<total, using: &random))
            distances = try distances.minimum(
                squaredDistances(pixels, to: chosen[chosen.count - 1]))
        }
        return try pixels.indexSelect(0, Tensor(chosen.map(Int64.init)))
    }

    private func squaredDistances(_ pixels: Tensor, to row: Int) throws -> Tensor {
        try (pixels - pixels.narrow(0, row, 1)).square().sum([1])
    }

    /// The mean of each entry's pixels; an entry without pixels stays.
    private func means(_ values: [Float], _ numbers: [Int64], keeping entries: Tensor) throws
        -> Tensor
    {
        let width = entries.dim(1)
        var sums = [Double](repeating: 0, count: entries.count)
        var counts = [Int](repeating: 0, count: entries.dim(0))
        for (row, number) in numbers.enumerated() {
            counts[Int(number)] += 1
            for channel in 0..<width {
                sums[Int(number) * width + channel] += Double(values[row * width + channel])
            }
        }
        var result = try entries.array(Float.self)
        for index in result.indices where counts[index / width] > 0 {
            result[index] = Float(sums[index] / Double(counts[index / width]))
        }
        return try Tensor(result, entries.shape)
    }
}

/// Latent pixels of clips, drawn at random, as many of each clip, `(n, C)` in float32.
///
/// Of more clips than pixels, so many clips are drawn and each gives one.
///
/// - Parameters:
///   - count: How many pixels at most, 1 or more.
///   - seed: Decides which.
///   - clips: How many clips there are, 1 or more.
///   - latents: The latents of a clip, `(C, F, h, w)`, by its number.
func latentPixels(
    count: Int, seed: UInt64, ofClips clips: Int, _ latents: (Int) throws -> Tensor
) throws -> Tensor {
    var random = SplitMix64(seed: seed)
    let chosen =
        clips > count
        ? (0..<clips).shuffled(using: &random).prefix(count).sorted() : Array(0..<clips)
    let share = count / chosen.count
    return try .cat(
        chosen.map { clip in
            let rows = try latents(clip).to(.float32).flatten(1).transpose(0, 1)
            let numbers = (0..<min(share, rows.dim(0))).map { _ in
                Int64.random(in: 0..<Int64(rows.dim(0)), using: &random)
            }
            return try rows.indexSelect(0, Tensor(numbers))
        }, axis: 0)
}

extension ClipCache {
    /// Latent pixels of all cached clips, drawn at random, as many of each, `(n, C)` in float32.
    ///
    /// - Parameters:
    ///   - count: How many at most.
    ///   - seed: Decides which.
    /// - Throws: `TrainingError` where there are no clips.
    public func latentPixels(count: Int, seed: UInt64) throws -> Tensor {
        let clips = try shards().flatMap { shard in
            shard.numbers.indices.map { (shard.latents, $0) }
        }
        return try FramePackTraining.latentPixels(count: count, seed: seed, ofClips: clips.count) {
            try clips[$0].0.select(0, clips[$0].1)
        }
    }
}

extension CodebookFitting.Result {
    /// Writes the codebook into a transformer's folder, or a run's, with what it keeps.
    func write(to folder: URL) throws {
        try codebook.write(
            to: folder,
            metadata: ["entries": "\(codebook.count)", "kept_variance": "\(keptVariance)"])
    }
}

extension TrainingRun {
    /// The codebook of a discrete history.
    public var codebookFile: URL { folder.appendingPathComponent(HistoryCodebook.fileName) }

    /// The codebook, where `framepack train codebook` has made one.
    public func codebook() throws -> HistoryCodebook? {
        guard FileManager.default.fileExists(atPath: codebookFile.path) else { return nil }
        return try HistoryCodebook(contentsOf: codebookFile)
    }

    /// Makes the codebook from the cached clips and stores it.
    ///
    /// - Parameter pixels: How many latent pixels it is fitted to at most.
    /// - Throws: `TrainingError` where there are no clips, or too few of them.
    public func fitCodebook(_ fitting: CodebookFitting, side: Int, pixels: Int = 200_000) throws
        -> CodebookFitting.Result
    {
        let cache = clipCache(side: side)
        let result = try fitting.fit(cache.latentPixels(count: pixels, seed: fitting.seed))
        try result.write(to: folder)
        return result
    }
}
