import Checkpoints
import Foundation
import FramePack
import Media
import Models
import Torch
import TorchNN

extension FineTuningRun {
    /// Checks all that a run needs, before its first step and before any weight is read.
    ///
    /// That are the files that its settings name, the encoded data and samples, the codebook and the
    /// transformer's files: nothing of them is found to be wrong after hours.
    ///
    /// - Throws: `TrainingError`, `FramePackError` or `CheckpointError` that names the first thing that
    ///   is missing or wrong, and says what to do.
    public func check() throws {
        try checkFiles()
        try checkUnchanged()
        try checkTransformer()
        try CachedDataset(dataset, folder: cacheFolder, model: model).checkFiles()
        let layouts = SectionPlans(config.sections, model: model).layouts
        if layouts.contains(where: \.isDiscrete) { _ = try codebook() }
        if !config.samples.isEmpty { _ = try sampleRenderer() }
    }

    /// Checks the files and folders that settings name beside the model and the data.
    func checkFiles() throws {
        do { try checkFolder(folder) } catch {
            throw TrainingError("output is of no use: \(error); name another folder")
        }
        for (number, sample) in config.samples.enumerated() {
            guard let path = sample.image else { continue }
            let name = "samples[\(number + 1)].image"
            guard FileManager.default.fileExists(atPath: path) else {
                throw TrainingError(
                    "\(name) is \(path), and there is no such file; put a picture there, or leave "
                        + "\(name) out to begin with a plain one")
            }
            do { _ = try probe(URL(fileURLWithPath: path)) } catch {
                throw TrainingError("\(name) is of no use: \(error)")
            }
        }
    }

    /// Checks that the transformer's files have every weight in its shape, as loading them would.
    private func checkTransformer() throws {
        let source = CheckpointWeights(
            try CheckpointFolder(model.folder(of: .transformer)), device: .meta)
        _ = try Transformer(sizes(), Weights(source))
        try source.checkAllUsed()
    }

    /// Checks that clips are cut into the sections that are trained.
    func checkWindow() throws {
        for part in dataset.datasets where part.hasVideos {
            let window = part.cutting.window
            guard window == config.sections.window else {
                throw TrainingError(
                    "the dataset's clips are cut for a window of \(window) (fp_latent_window_size), "
                        + "and sections.window is \(config.sections.window); make them the same")
            }
        }
    }

    /// Checks that there are layers for a LoRA to be trained.
    ///
    /// - Parameter transformer: The network, perhaps without weights.
    func checkTargets(_ transformer: Transformer) throws {
        guard config.method.kind == .lora, config.method.weights == nil else { return }
        do { _ = try config.method.lowRank.layers(among: transformer.linears) } catch {
            throw TrainingError("method.targets and method.excluded are of no use: \(error)")
        }
    }
}

extension FineTuningConfig.Method {
    /// The adapters that are trained.
    var lowRank: LowRankConfig {
        LowRankConfig(
            rank: rank, alpha: alpha, targets: targets.isEmpty ? nil : targets,
            excluded: excluded.isEmpty ? nil : excluded)
    }
}

extension DatasetFile.Dataset {
    /// Whether its clips come from videos, and not from pictures.
    fileprivate var hasVideos: Bool {
        switch source {
        case .videos, .videoList: true
        case .pictures, .pictureList: false
        }
    }
}
