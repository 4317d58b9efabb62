import Checkpoints
public import Foundation
import FramePack
import Torch

extension FineTuningRun {
    /// The codebook that `framepack train codebook` makes of the run's data.
    public var codebookFile: URL { folder.appendingPathComponent(HistoryCodebook.fileName) }

    /// The codebook of a discrete history: the run's own, or else the model's.
    ///
    /// - Throws: `TrainingError` where neither has one; `CheckpointError` or `FramePackError` for a
    ///   file that is none.
    func codebook() throws -> HistoryCodebook {
        guard let codebook = try storedCodebook() else {
            throw TrainingError(
                "a packing has +D, and neither the model nor the run has a codebook; make one of the "
                    + "data with `framepack train codebook --config FILE`")
        }
        return codebook
    }

    /// The codebook of the run, or else of the model; nil where neither has one.
    ///
    /// - Throws: `CheckpointError` or `FramePackError` for a file that is none.
    func storedCodebook() throws -> HistoryCodebook? {
        let models = try model.folder(of: .transformer)
            .appendingPathComponent(HistoryCodebook.fileName)
        let file = [codebookFile, models].first { FileManager.default.fileExists(atPath: $0.path) }
        return try file.map { try HistoryCodebook(contentsOf: $0) }
    }

    /// Makes the codebook of the encoded data and stores it in the run's folder.
    ///
    /// - Parameter pixels: How many latent pixels it is fitted to at most.
    /// - Throws: `TrainingError` where the data are not encoded, or are too few.
    public func fitCodebook(_ fitting: CodebookFitting, pixels: Int) throws
        -> CodebookFitting.Result
    {
        let data = try CachedDataset(dataset, folder: cacheFolder, model: model)
        let result = try fitting.fit(data.latentPixels(count: pixels, seed: fitting.seed))
        try makeFolder(folder)
        try result.write(to: folder)
        return result
    }
}

extension HistoryCodebook {
    /// Writes the codebook into a transformer's folder, or a run's.
    ///
    /// - Parameter metadata: Texts to be kept beside it.
    func write(to folder: URL, metadata: [String: String] = [:]) throws {
        try writeSafetensors(
            ["codebook": entries], metadata: metadata,
            to: folder.appendingPathComponent(Self.fileName))
    }
}

extension CachedDataset {
    /// Latent pixels of all clips, drawn at random, as many of each, `(n, C)` in float32.
    ///
    /// - Parameters:
    ///   - count: How many at most.
    ///   - seed: Decides which.
    func latentPixels(count: Int, seed: UInt64) throws -> Tensor {
        try FramePackTraining.latentPixels(
            count: count, seed: seed, ofClips: entries.count, latents)
    }
}
