public import Foundation
import FramePack

/// Everything that is asked of one training of a released-size model.
///
/// It is read from TOML, whose keys are the fields' names in snake case; relative paths are taken
/// from the file's folder. What a file leaves out has its default, but for the four that have none:
/// `model`, `dataset`, `output` and `guidance`.
public struct FineTuningConfig: Sendable, Equatable {
    /// The model: a folder in diffusers' layout, or a JSON file that names the parts' folders.
    public var model: String
    /// The dataset's TOML file, as musubi-tuner has it.
    public var dataset: String
    /// The folder of the run: its state, log, samples and results.
    public var output: String
    /// The distilled guidance that goes into the network while it is trained, 1 to 32.
    ///
    /// It has no default: released models are sampled at 10, and a model that was trained at 1 is
    /// then asked for what it never saw. musubi-tuner's default is 1.
    public var guidance: Double

    /// Optimizer steps of the whole run, 1 to 100,000,000.
    public var steps = 1600
    /// Decides the order of the data, all noise and what adapters begin with; 0 or more.
    public var seed = 42
    /// Samples of one step, over all processes and passes, 1 to 65,536.
    public var batch = 1
    /// Forward passes in which each process takes its share of a step, 1 to 65,536.
    public var accumulation = 1
    /// The folder of the cached latents and texts; beside the dataset's file unless given.
    public var cache: String?

    /// What is trained.
    public var method = Method()
    /// Which sections of a clip are trained on, and what they see.
    public var sections = Sections()
    /// What changes the weights.
    public var optimizer = OptimizerSettings()
    /// At which noise levels.
    public var noise = NoiseSettings()
    /// What is left out, so that a model can do without.
    public var dropout = Dropout()
    /// How the history is spoilt, so that a model forgives its own mistakes.
    public var history = HistoryCorruption()
    /// Where and in which types is computed.
    public var compute = Compute()
    /// What is stored when.
    public var checkpoints = Checkpoints()
    /// Videos that are made on the way.
    public var samples: [Sample] = []

    /// A run with defaults for all that has them.
    public init(model: String, dataset: String, output: String, guidance: Double) {
        (self.model, self.dataset, self.output) = (model, dataset, output)
        self.guidance = guidance
    }
}

extension FineTuningConfig: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case model, dataset, output, guidance, steps, seed, batch, accumulation, cache
        case method, sections, optimizer, noise, dropout, history, compute, checkpoints, samples
    }
    typealias Key = CodingKeys

    /// Reads a configuration.
    ///
    /// - Throws: `DecodingError` for a key that is not there, or that is missing.
    public init(from decoder: any Decoder) throws {
        self.init(model: "", dataset: "", output: "", guidance: 0)
        let fields = try ConfigurationReader(decoder, as: self)
        let required = try decoder.container(keyedBy: CodingKeys.self)
        model = try required.decode(String.self, forKey: .model)
        dataset = try required.decode(String.self, forKey: .dataset)
        output = try required.decode(String.self, forKey: .output)
        guidance = try Self.guidance(required)
        try fields.read(.steps, &steps)
        try fields.read(.seed, &seed)
        try fields.read(.batch, &batch)
        try fields.read(.accumulation, &accumulation)
        try fields.read(.cache, &cache)
        try fields.read(.method, &method)
        try fields.read(.sections, &sections)
        try fields.read(.optimizer, &optimizer)
        try fields.read(.noise, &noise)
        try fields.read(.dropout, &dropout)
        try fields.read(.history, &history)
        try fields.read(.compute, &compute)
        try fields.read(.checkpoints, &checkpoints)
        try fields.read(.samples, &samples)
    }

    private static func guidance(_ fields: KeyedDecodingContainer<CodingKeys>) throws -> Double {
        if let guidance = try fields.decodeIfPresent(Double.self, forKey: .guidance) {
            return guidance
        }
        throw DecodingError.dataCorrupted(
            .init(
                codingPath: [CodingKeys.guidance],
                debugDescription: "it is missing and has no default; take 10, at which released "
                    + "models are sampled, or 1 as musubi-tuner does"))
    }

    /// Reads a TOML file; relative paths are taken from its folder.
    ///
    /// - Throws: `TrainingError` that names the file, the line and the setting.
    public init(contentsOf file: URL) throws {
        let source = try ConfigurationFile(file)
        var config = try source.decode(FineTuningConfig.self) { try $0.check() }
        let folder = file.deletingLastPathComponent()
        func absolute(_ path: String) -> String {
            URL(fileURLWithPath: path, relativeTo: folder).standardizedFileURL.path
        }
        config.model = absolute(config.model)
        config.dataset = absolute(config.dataset)
        config.output = absolute(config.output)
        config.cache = config.cache.map(absolute)
        config.method.weights = config.method.weights.map(absolute)
        config.samples = config.samples.map {
            var sample = $0
            sample.image = sample.image.map(absolute)
            return sample
        }
        self = config
    }
}
