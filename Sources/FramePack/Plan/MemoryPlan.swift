/// Where a network's weights are while it computes.
public enum WeightPlacement: Equatable, Sendable {
    /// In their file, which is mapped into the machine's memory: the system reads pages when they are
    /// used, and takes them back when it needs the room. On a CPU.
    case mapped
    /// All in the device's memory.
    case resident
    /// In their file. A ring of so many bytes on the device holds what is used and what comes next, and
    /// so many bytes of the weights stay there for good.
    case streamed(ring: Int, resident: Int)
}

extension WeightPlacement: Codable {
    private enum Mode: String, Codable { case mapped, resident, streamed }
    private enum CodingKeys: String, CodingKey { case mode, ring, resident }

    /// Reads `{"mode": "streamed", "ring": …, "resident": …}`, or a mode alone.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        switch try keys.decode(Mode.self, forKey: .mode) {
        case .mapped: self = .mapped
        case .resident: self = .resident
        case .streamed:
            self = .streamed(
                ring: try keys.decode(Int.self, forKey: .ring),
                resident: try keys.decode(Int.self, forKey: .resident))
        }
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .mapped: try keys.encode(Mode.mapped, forKey: .mode)
        case .resident: try keys.encode(Mode.resident, forKey: .mode)
        case .streamed(let ring, let resident):
            try keys.encode(Mode.streamed, forKey: .mode)
            try keys.encode(ring, forKey: .ring)
            try keys.encode(resident, forKey: .resident)
        }
    }
}

/// How large the pieces are in which a run computes, and what it keeps.
public struct MemoryChunks: Equatable, Codable, Sendable {
    /// Tokens that attention's queries and feed-forward take at a time.
    public var tokens = 2048
    /// Bytes of a piece of the VAE's activations.
    public var decoding = 32 << 20
    /// The most bytes of what the transformer would compute again from step to step, see `RunMemory`.
    public var keptConditions = 512 << 20
    /// The most bytes of freed memory that are kept for what is allocated next.
    public var keptFreed = 512 << 20

    /// The quickest.
    public init() {}
}

/// How a run uses memory, decided before anything is loaded.
public struct MemoryPlan: Equatable, Codable, Sendable {
    /// What a stage takes at the most, in bytes, by arithmetic.
    public struct StageMemory: Equatable, Codable, Sendable {
        /// The stage.
        public let stage: Stage
        /// Of the GPU; 0 without one.
        public let device: Int
        /// Of the machine, pages of files not counted.
        public let machine: Int
    }

    /// Where the networks compute: cpu, cuda:0.
    public let device: String
    /// The transformer's weights.
    public var transformer: WeightPlacement
    /// The text encoders' weights.
    public var textEncoders: WeightPlacement
    /// The vision encoder's weights.
    public var visionEncoder: WeightPlacement
    /// Whether the VAE stays loaded while a section is sampled.
    public var keepsVAE = true
    /// The sizes of pieces.
    public var chunks = MemoryChunks()
    /// What each stage takes.
    public internal(set) var stages: [StageMemory] = []
    /// What may be taken: the smaller of what was allowed and what is free; nil where neither is known.
    public let bound: MemoryBudget

    /// What the whole run takes of the GPU, in bytes.
    public var devicePeak: Int { stages.map(\.device).max() ?? 0 }
    /// What the whole run takes of the machine, in bytes.
    public var machinePeak: Int { stages.map(\.machine).max() ?? 0 }
    /// Whether no stage takes more than it may.
    public var fits: Bool { stages.allSatisfy(fits) }

    func fits(_ stage: StageMemory) -> Bool {
        stage.device <= bound.device ?? .max && stage.machine <= bound.machine ?? .max
    }

    func fits(_ stage: Stage) -> Bool { stages.allSatisfy { $0.stage != stage || fits($0) } }
}
