extension FineTuningConfig {
    /// At which noise levels, and how much each counts.
    public struct NoiseSettings: Sendable, Equatable {
        /// How levels are drawn; see ``NoiseSampling``.
        public var sampling = NoiseSampling.shift
        /// How far levels are shifted towards noise, 0.01 to 100; 1 does not.
        public var shift = 3.0
        /// The width of the Gaussian below the sigmoid, above 0 up to 100.
        public var scale = 1.0
        /// The middle of the Gaussian below the sigmoid, -20 to 20.
        public var mean = 0.0
        /// The least timestep, 0 to 1000.
        public var minTimestep = 0.0
        /// The greatest timestep, 0 to 1000.
        public var maxTimestep = 1000.0
        /// How much a level's error counts; see ``LossWeighting``.
        public var weighting = LossWeighting.none

        /// The values that musubi-tuner advises for FramePack.
        public init() {}
    }

    /// What is left out of samples, as shares of them.
    public struct Dropout: Sendable, Equatable {
        /// The share of samples whose caption is empty, 0 to 1.
        public var text = 0.0
        /// The share of samples that begin from a plain picture, 0 to 1.
        public var image = 0.0

        /// Nothing is left out.
        public init() {}
    }
}

extension FineTuningConfig.NoiseSettings: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case sampling, shift, scale, mean
        case minTimestep = "min_timestep"
        case maxTimestep = "max_timestep"
        case weighting
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.sampling, &sampling)
        try fields.read(.shift, &shift)
        try fields.read(.scale, &scale)
        try fields.read(.mean, &mean)
        try fields.read(.minTimestep, &minTimestep)
        try fields.read(.maxTimestep, &maxTimestep)
        try fields.read(.weighting, &weighting)
    }
}

extension FineTuningConfig.Dropout: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable { case text, image }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.text, &text)
        try fields.read(.image, &image)
    }
}

/// How noise levels t in [0, 1] are drawn; n is a unit Gaussian, u even in [0, 1].
public enum NoiseSampling: String, Codable, Sendable, CaseIterable {
    /// u.
    case uniform
    /// sigmoid(scale n).
    case sigmoid
    /// sigmoid(scale n), shifted: what musubi-tuner calls shift.
    case shift
    /// sigmoid(mean + scale n), shifted.
    case logitNormal = "logit_normal"
    /// u, shifted.
    case uniformShift = "uniform_shift"
}

/// How much the error at a noise level counts.
public enum LossWeighting: String, Codable, Sendable, CaseIterable {
    /// All levels alike.
    case none
    /// 1 over the square of the level.
    case sigmaSquareRoot = "sigma_sqrt"
    /// 2 / (π (1 − 2t + 2t²)).
    case cosineMap = "cosmap"
}
