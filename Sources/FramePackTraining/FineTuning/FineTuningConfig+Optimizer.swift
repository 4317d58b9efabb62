extension FineTuningConfig {
    /// What changes the weights.
    public struct OptimizerSettings: Sendable, Equatable {
        /// adamw, adamw8bit or adafactor.
        public var kind = "adamw"
        /// The highest step size, above 0 up to 1.
        public var learningRate = 2e-4
        /// Steps over which it rises from 0.
        public var warmupSteps = 0
        /// The share of the run after which it begins to fall, 0 to 1; 1 never.
        public var decayStart = 1.0
        /// What is left of it at the end, as a share of the highest, 0 to 1.
        public var finalShare = 0.0
        /// How much each step takes off the weights, 0 to 1, in units of the step size.
        public var weightDecay = 0.01
        /// How much of the first moments each step keeps, 0 to 0.9999; AdamW's.
        public var beta1 = 0.9
        /// How much of the second moments each step keeps, 0 to 0.999999; AdamW's.
        public var beta2 = 0.999
        /// The largest norm of the gradients, above 0.
        public var clipNorm = 1.0
        /// How much of the averaged weights each step keeps, 0 to 0.99999; 0 averages nothing.
        public var averaging = 0.0

        /// AdamW at a constant step size.
        public init() {}
    }
}

extension FineTuningConfig.OptimizerSettings: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case kind
        case learningRate = "learning_rate"
        case warmupSteps = "warmup_steps"
        case decayStart = "decay_start"
        case finalShare = "final_share"
        case weightDecay = "weight_decay"
        case beta1, beta2
        case clipNorm = "clip_norm"
        case averaging
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.kind, &kind)
        try fields.read(.learningRate, &learningRate)
        try fields.read(.warmupSteps, &warmupSteps)
        try fields.read(.decayStart, &decayStart)
        try fields.read(.finalShare, &finalShare)
        try fields.read(.weightDecay, &weightDecay)
        try fields.read(.beta1, &beta1)
        try fields.read(.beta2, &beta2)
        try fields.read(.clipNorm, &clipNorm)
        try fields.read(.averaging, &averaging)
    }
}
