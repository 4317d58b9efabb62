extension FineTuningConfig {
    /// What is trained.
    public struct Method: Sendable, Equatable {
        /// All weights, or small matrices beside them.
        public enum Kind: String, Codable, Sendable, CaseIterable {
            /// Every weight of the transformer.
            case full
            /// Low-rank matrices beside the weights of linear layers.
            case lora
        }

        /// Full or lora.
        public var kind = Kind.lora
        /// The rank of the matrices, 1 to 4096; lora alone.
        public var rank = 32
        /// Their scale is alpha over rank, above 0; 1 is musubi-tuner's default too.
        public var alpha = 1.0
        /// Regular expressions of which one is found in the name of a layer that has them; every
        /// linear layer of the double and single blocks unless given.
        public var targets: [String] = []
        /// Regular expressions of names that are left out; `norm` unless given.
        public var excluded: [String] = []

        /// A LoRA file to go on from, whose ranks, alphas and layers are then taken; any of the forms
        /// that `--lora` reads.
        public var weights: String?

        /// A LoRA of rank 32.
        public init() {}
    }

    /// Which sections of a clip are trained on, and what they see.
    public struct Sections: Sendable, Equatable {
        /// The sampling orders, vanilla, anti-drifting, inverted, planned or f1, of which each sample
        /// draws one; the packing's or the model's own unless given.
        public var orders: [String] = []
        /// The packings, of which each sample draws one; the released one unless given.
        public var packings: [String] = []
        /// Which latents of the history get the finest kernels: time, similarity or hybrid, of which
        /// each sample draws one; time unless given.
        public var historyOrders: [String] = []
        /// How much nearness in time counts in hybrid order, 0 to 1000.
        public var historyTimeWeight = 1.0
        /// Latents a section generates, 1 to 1000; the released models know 9.
        public var window = 9

        /// Sections as the model was made for.
        public init() {}
    }
}

extension FineTuningConfig.Method: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, rank, alpha, targets, excluded, weights
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.kind, &kind)
        try fields.read(.rank, &rank)
        try fields.read(.alpha, &alpha)
        try fields.read(.targets, &targets)
        try fields.read(.excluded, &excluded)
        try fields.read(.weights, &weights)
    }
}

extension FineTuningConfig.Sections: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case orders, packings
        case historyOrders = "history_orders"
        case historyTimeWeight = "history_time_weight"
        case window
    }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.orders, &orders)
        try fields.read(.packings, &packings)
        try fields.read(.historyOrders, &historyOrders)
        try fields.read(.historyTimeWeight, &historyTimeWeight)
        try fields.read(.window, &window)
    }
}
