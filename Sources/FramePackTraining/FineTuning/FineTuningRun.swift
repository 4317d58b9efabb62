import Checkpoints
public import Foundation
public import FramePack
import Models
public import Torch
import TorchNN
import TorchOptim

/// One fine-tuning: from its configuration to the files that it leaves.
public final class FineTuningRun {
    /// What is asked for.
    public let config: FineTuningConfig
    /// The model that it begins from.
    public let model: ModelFolder
    /// The data as their file names them.
    public let dataset: DatasetFile
    /// Where it computes.
    public let device: Device
    private(set) var adapters: AdapterSet?
    /// What the LoRA file holds that a training goes on from; nil without one.
    private var start: AdapterSummary?

    /// Opens everything that a run needs; no weight is read.
    ///
    /// - Parameter device: Where it computes; must be there.
    /// - Throws: `TrainingError` or `FramePackError` that names what is missing or wrong.
    public init(_ config: FineTuningConfig, device: Device) throws {
        self.config = config
        self.device = device
        model = try ModelFolder(URL(fileURLWithPath: config.model))
        dataset = try DatasetFile(
            URL(fileURLWithPath: config.dataset), window: config.sections.window)
        try model.requireAll()
        try checkModel()
        try SectionPlans(config.sections, model: model).check(model)
        try checkWindow()
        guard config.method.kind == .lora else { return }
        let outline = try Transformer(sizes(), Weights(ShapesOnly()))
        try checkTargets(outline)
        start = try config.method.weights.map { try startFile($0, for: outline).summary }
    }

    /// The transformer's sizes.
    func sizes() throws -> TransformerConfig {
        try TransformerConfig(folder: model.folder(of: .transformer))
    }

    private func checkModel() throws {
        let sizes = try CheckpointFolder.json(
            TransformerConfig.self, in: model.folder(of: .transformer))
        guard sizes.hasPackedContext, sizes.hasImageProjection else {
            throw TrainingError(
                "\(config.model) is a plain HunyuanVideo model, which sees no history; make a "
                    + "FramePack model of it first with `framepack train init`")
        }
    }

    /// The folder of cached latents and texts, where the dataset's file names none.
    public var cacheFolder: URL {
        config.cache.map { URL(fileURLWithPath: $0) }
            ?? dataset.url.deletingLastPathComponent().appendingPathComponent("framepack-cache")
    }

    /// The folder of the run.
    public var folder: URL { URL(fileURLWithPath: config.output) }
    /// The folder of the state that a continued run takes up.
    public var stateFolder: URL { folder.appendingPathComponent(Self.stateName) }
    /// What the folder of the state is called.
    public static let stateName = "state"

    /// The networks that encode data and make sample videos.
    func library(onProgress: @escaping () throws -> Void = {}) throws -> ModelLibrary {
        let stored = try ModelLibrary.storedType(model)
        return ModelLibrary(
            model, device: device,
            precision: Precision(nil, stored: stored, device: device, parity: false),
            onProgress: onProgress)
    }

    /// Encodes what of the data is not encoded yet.
    ///
    /// - Parameters:
    ///   - onProgress: Called after each file that was made; what it throws ends the work.
    ///   - onNetwork: Called between layers and weights; what it throws ends the work.
    public func fillCache(
        onProgress: @escaping (CacheProgress) throws -> Void = { _ in },
        onNetwork: @escaping () throws -> Void = {}
    ) throws -> CacheSummary {
        try checkFiles()
        return try CacheBuilder(
            dataset, samples: config.samples, library(onProgress: onNetwork), folder: cacheFolder,
            onProgress: onProgress
        ).fill()
    }

    // MARK: - Facts

    /// The distilled guidance at which the model is sampled unless told otherwise.
    public var sampledGuidance: Double {
        model.settings.guidance ?? GenerationRequest(prompt: "").guidance
    }

    /// What is trained, with what, as lines for people.
    public func facts() throws -> [String] {
        let data = try CachedDataset(dataset, folder: cacheFolder, model: model)
        let items = data.items().count
        let pictures = data.entries.count { $0.clip.pictureIndex != nil }
        let passes = Double(config.steps * config.batch) / Double(max(items, 1))
        let layouts = SectionPlans(config.sections, model: model).layouts.map { layout in
            (layout.packing ?? .released(layout.order, window: config.sections.window)).name
                + " (\(layout.order.rawValue))"
        }
        return [
            title,
            "\(counted(data.entries.count - pictures, "clip")), \(counted(pictures, "picture")), "
                + "\(counted(items, "sample")) in a pass; \(String(format: "%.1f", passes)) passes in "
                + "\(counted(config.steps, "step")) of \(config.batch)",
            "sections of \(counted(config.sections.window, "latent")): "
                + layouts.joined(separator: ", "),
            "guidance \(Self.text(config.guidance)) goes into the network (sampled at "
                + "\(Self.text(sampledGuidance)) by default)",
        ]
    }

    /// What is trained, with what.
    private var title: String {
        var method = "full fine-tuning"
        if config.method.kind == .lora {
            method = "LoRA of rank \(config.method.rank), alpha \(Self.text(config.method.alpha))"
            if let start, let path = config.method.weights {
                let ranks = start.ranks.map(String.init).joined(separator: ", ")
                method = "LoRA of rank \(ranks), which goes on from \(path),"
            }
        }
        return "\(method) of \(model.name), \(config.optimizer.kind), step size "
            + Self.text(config.optimizer.learningRate)
    }

    /// What the user should think about before the run.
    public func warnings() throws -> [String] {
        var warnings = dataset.notes
        if try sizes().hasGuidance, config.guidance != sampledGuidance {
            warnings.append(
                "the model is trained at guidance \(Self.text(config.guidance)) and sampled at "
                    + "\(Self.text(sampledGuidance)) unless told otherwise: what it learns may show "
                    + "less, or not at all; sample with --guidance \(Self.text(config.guidance)), "
                    + "or train at \(Self.text(sampledGuidance))")
        }
        let trained = SectionPlans(config.sections, model: model).layouts.map(\.order)
        if !trained.contains(model.defaultOrder) {
            warnings.append(
                "\(model.name) was made for the order \(model.defaultOrder.rawValue), and is "
                    + "trained in another; sample with --order")
        }
        return warnings
    }

    /// What the run needs, as far as it follows from arithmetic: with the largest section of its
    /// layouts, and the largest clip of the cache, or the size and length that the dataset's file asks
    /// for where there is no cache yet.
    public func plan() throws -> TrainingPlan {
        var plan = TrainingPlan()
        plan.title = title
        if let size = model.size {
            (plan.transformer, plan.visionTokens) = (size.transformer, size.visionTokens)
        }
        plan.method =
            config.method.kind == .lora
            ? .lora(rank: start?.ranks.max() ?? config.method.rank) : .full
        plan.optimizer = OptimizerChoice(rawValue: config.optimizer.kind) ?? plan.optimizer
        plan.weightBytes = config.compute.weights.dtype.size
        plan.isAveraged = config.optimizer.averaging > 0
        let cached = try? CachedDataset(dataset, folder: cacheFolder, model: model).entries
        let sizes =
            cached?.map { FrameSize(height: $0.clip.height, width: $0.clip.width) }
            ?? dataset.datasets.map { $0.size(of: $0.resolution) }
        plan.size =
            sizes.max { $0.height * $0.width < $1.height * $1.width } ?? plan.size
        plan.window = config.sections.window
        plan.layouts = SectionPlans(config.sections, model: model).layouts.map {
            TrainingPlan.Layout($0.order, packing: $0.packing)
        }
        // A picture has less than a first section.
        let sections =
            cached?.map { ($0.clip.latentCount - 1) / $0.window }
            ?? dataset.datasets.map(\.cutting.mostSections)
        plan.sections = max(1, sections.max() ?? 1)
        plan.batch = config.batch
        plan.accumulation = config.accumulation
        plan.checkpointsActivations = config.compute.checkpointActivations
        plan.steps = config.steps
        return plan
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e9 ? "\(Int(number))" : "\(number)"
    }

    // MARK: - Training

    /// Loads the network and prepares the training; ``check()`` tells beforehand what is missing.
    ///
    /// - Parameters:
    ///   - isDivided: Whether several processes divide the weights, so that none needs all of them in
    ///     its own memory.
    ///   - onTensor: Called before each weight is read; what it throws ends the reading.
    public func task(
        isDivided: Bool = false, onTensor: @escaping () throws -> Void = {}
    ) throws -> FineTuning {
        let data = try CachedDataset(dataset, folder: cacheFolder, model: model)
        let plans = SectionPlans(config.sections, model: model)
        let codebook = plans.layouts.contains(where: \.isDiscrete) ? try codebook() : nil
        let store = ParameterStore()
        let transformer = try transformer(store, isDivided: isDivided, onTensor: onTensor)
        return FineTuning(
            config, transformer: transformer, store: try trained(transformer, store), data: data,
            plans: plans, codebook: codebook, device: device)
    }

    private func transformer(
        _ store: ParameterStore, isDivided: Bool, onTensor: @escaping () throws -> Void
    ) throws -> Transformer {
        let isDivided = isDivided && config.method.kind == .full
        let source = CheckpointWeights(
            try CheckpointFolder(model.folder(of: .transformer)),
            device: isDivided ? .cpu : device,
            dtype: config.compute.weights.dtype, dequantizes: config.method.kind == .full,
            onTensor: onTensor)
        // Weights of a full training are changed in place, which those of a mapped file cannot be.
        let isCopied = config.method.kind == .full && device == .cpu && !isDivided
        let transformer = try Transformer(
            sizes(), Weights(isCopied ? CopiedWeights(source: source) : source, store: store))
        try source.checkAllUsed()
        return transformer
    }

    /// The parameters that are trained.
    private func trained(_ transformer: Transformer, _ store: ParameterStore) throws
        -> ParameterStore
    {
        guard config.method.kind == .lora else { return store }
        let method = config.method
        if let path = method.weights {
            let read = try adapters(from: path, for: transformer)
            adapters = read
            return read.store
        }
        let adapters = try transformer.attachFreshAdapters(
            method.lowRank, seed: UInt64(config.seed))
        self.adapters = adapters
        return adapters.store
    }

    /// The adapters of a LoRA file, ready to be trained.
    private func adapters(from path: String, for transformer: Transformer) throws -> AdapterSet {
        let read = try startFile(path, for: transformer).adapters
        for parameter in read.store.parameters {
            // Those of a mapped file cannot be changed.
            parameter.value = try parameter.value.to(device, .float32).clone()
        }
        try transformer.attach(read)
        try transformer.train(only: read)
        return read
    }

    /// The LoRA file that a training goes on from.
    ///
    /// - Throws: `TrainingError` for adapters that cannot be written when they are trained.
    private func startFile(_ path: String, for transformer: Transformer) throws -> AdapterFile {
        guard FileManager.default.fileExists(atPath: path) else {
            throw TrainingError(
                "method.weights is \(path), and there is no such file; name a LoRA to go on from, or "
                    + "leave it out to begin anew")
        }
        let file = try AdapterFile(contentsOf: URL(fileURLWithPath: path), for: transformer)
        guard file.adapters.adapters.allSatisfy({ $0.adapter is LowRankAdapter }) else {
            throw TrainingError(
                "method.weights is \(path), which holds \(file.summary.kinds.joined(separator: ", ")); "
                    + "it must be a LoRA alone, the one kind that is written here; name another "
                    + "file, or leave it out to begin anew")
        }
        return file
    }

    /// How the loop runs.
    public func loopConfig() throws -> TrainingLoopConfig {
        let settings = config.optimizer
        let schedule = LearningRateSchedule(
            peak: settings.learningRate, final: settings.learningRate * settings.finalShare,
            warmupSteps: settings.warmupSteps, decayStart: settings.decayStart)
        var loop = TrainingLoopConfig(learningRate: schedule)
        loop.optimizer = OptimizerChoice(rawValue: settings.kind) ?? loop.optimizer
        loop.accumulation = config.accumulation
        loop.clipNorm = settings.clipNorm
        (loop.beta1, loop.beta2) = (settings.beta1, settings.beta2)
        loop.weightDecay = settings.weightDecay
        loop.averaging = settings.averaging
        loop.checkpointSteps = config.checkpoints.interval
        return loop
    }
}

/// Weights of another source in memory of their own.
private struct CopiedWeights: WeightSource {
    let source: any WeightSource

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        try source.tensor(name, shape: shape, initialization: initialization).clone()
    }

    func contains(_ name: String) -> Bool { source.contains(name) }
}
