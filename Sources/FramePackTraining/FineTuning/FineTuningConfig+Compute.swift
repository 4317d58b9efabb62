public import FramePack

extension FineTuningConfig {
    /// Where and in which types is computed.
    public struct Compute: Sendable, Equatable {
        /// cpu, cuda, cuda:N, or auto for a GPU if there is one.
        public var device = "auto"
        /// The type of the activations: bf16 or f32.
        public var precision = PrecisionChoice.bf16
        /// The type in which the transformer's weights are held: bf16, f16 or f32.
        public var weights = PrecisionChoice.bf16
        /// Whether activations are computed again in the backward pass instead of being kept.
        public var checkpointActivations = true
        /// Threads of a CPU; 0 leaves it to libtorch.
        public var threads = 0

        /// bfloat16 on a GPU if there is one.
        public init() {}
    }

    /// What is stored when.
    public struct Checkpoints: Sendable, Equatable {
        /// Steps between two stored states, from which a run goes on, 1 or more.
        public var interval = 200
        /// Steps between two sets of sample videos and of results; 0 makes them at the end alone.
        public var sampleInterval = 0

        /// A state every 200 steps.
        public init() {}
    }

    /// A video that is made on the way.
    public struct Sample: Sendable, Equatable {
        /// What moves, and how.
        public var prompt = ""
        /// The picture it begins with; a start from text alone where there is none.
        public var image: String?
        /// Its length in seconds, rounded to whole sections.
        public var seconds = 2.4
        /// Steps of the sampler.
        public var steps = 25
        /// The seed of its noise.
        public var seed = 31337
        /// The distilled guidance; the model's own unless given.
        public var guidance: Double?

        /// A sample without a prompt.
        public init() {}
    }
}

extension FineTuningConfig.Compute: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case device, precision, weights
        case checkpointActivations = "checkpoint_activations"
        case threads
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.device, &device)
        try fields.read(.precision, &precision)
        try fields.read(.weights, &weights)
        try fields.read(.checkpointActivations, &checkpointActivations)
        try fields.read(.threads, &threads)
    }
}

extension FineTuningConfig.Checkpoints: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case interval
        case sampleInterval = "sample_interval"
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.interval, &interval)
        try fields.read(.sampleInterval, &sampleInterval)
    }
}

extension FineTuningConfig.Sample: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt, image, seconds, steps, seed, guidance
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.prompt, &prompt)
        try fields.read(.image, &image)
        try fields.read(.seconds, &seconds)
        try fields.read(.steps, &steps)
        try fields.read(.seed, &seed)
        try fields.read(.guidance, &guidance)
    }
}
