import Checkpoints
package import Foundation
import Models

extension ModelFolder {
    /// What MagCache knows of the model: what `framepack.json` says, or what the authors measured,
    /// for a model of the released size.
    ///
    /// - Throws: `FramePackError.model` where nobody measured it; `CheckpointError` for a
    ///   transformer without a configuration.
    public func magnitudeRatios() throws -> MagnitudeRatios {
        if let measured = settings.magnitudeRatios { return measured }
        guard try transformerConfig().hasReleasedSize else {
            throw FramePackError.model(
                "The step cache magcache needs to know how the model \(name) behaves from step to "
                    + "step, and its framepack.json has no magnitudeRatios; measure them with "
                    + "`framepack calibrate`, or take another step cache.")
        }
        return defaultOrder == .f1 ? .releasedF1 : .released
    }

    /// The file in which a model's settings lie: beside `model_index.json`, or beside the JSON file
    /// that names the parts.
    package var settingsFile: URL {
        let isFolder =
            (try? url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
        let home = isFolder ? url : url.deletingLastPathComponent()
        return home.appendingPathComponent("framepack.json")
    }

    /// Writes measured ratios into `framepack.json`, whose other settings stay.
    ///
    /// - Throws: `CheckpointError` where the file cannot be written.
    public func write(_ ratios: MagnitudeRatios) throws {
        var settings = settings
        settings.magnitudeRatios = ratios
        let data = try JSONEncoder.sorted.encode(settings) + Data("\n".utf8)
        try AtomicFile.write(data, to: settingsFile)
    }
}

extension TransformerConfig {
    /// Whether a transformer has as many blocks as the released ones, and their width.
    fileprivate var hasReleasedSize: Bool {
        let released = TransformerConfig()
        return doubleBlockCount == released.doubleBlockCount
            && singleBlockCount == released.singleBlockCount
            && hiddenSize == released.hiddenSize
    }
}
