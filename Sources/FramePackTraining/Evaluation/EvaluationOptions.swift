public import FramePack
public import ToyWorld

/// Which scenes a model is measured on.
public enum EvaluationWorld: String, Codable, CaseIterable, Sendable {
    /// One plain object, few motions, a fixed camera.
    case simple
    /// Everything that the world knows.
    case full

    /// What such scenes contain.
    public var config: WorldConfig { self == .simple ? .simple : .full }
}

/// What `framepack eval` measures.
public struct EvaluationOptions: Codable, Sendable, Equatable {
    /// Videos in each generated row.
    public var count = 24
    /// Videos in the rows of rendered videos and round trips; nil for as many as in the others.
    public var baselineCount: Int?
    /// The length of a video; it becomes whole sections.
    public var seconds = 5.0
    /// The seed of scenes and noise.
    public var seed: UInt64 = 1
    /// The scenes, all of them combinations that training never sees.
    public var world = EvaluationWorld.simple
    /// The orders, a row each.
    public var orders: [SamplingOrder] = [.f1, .inverted]
    /// The packings, a row each in the order of its name; empty for the released levels in each of
    /// ``orders``.
    public var packings: [Packing] = []
    /// Steps of a section, a row for each; empty for the model's own.
    public var steps: [Int] = []
    /// Distilled guidance, a row for each; empty for the model's own.
    public var guidance: [Double] = []
    /// True guidance, a row for each; empty for the model's own.
    public var cfg: [Double] = []
    /// The sampler.
    public var sampler = SamplerChoice.unipc
    /// The shift of the noise levels; nil for the official rule.
    public var shift: Double?
    /// How latents become frames.
    public var decode = DecodeChoice.windows
    /// Whether rendered videos and VAE round trips have rows too.
    public var hasBaselines = true
    /// Whether each order has a row of videos from the text alone, without a start picture, too.
    public var hasTextStarts = false
    /// Videos of each row that the picture shows.
    public var shown = 4

    /// The usual values.
    public init() {}
}

extension EvaluationOptions {
    /// Reads options; a key that is missing, as in an older report, has its usual value.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try fields.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        try read(.count, &count)
        try read(.baselineCount, &baselineCount)
        try read(.seconds, &seconds)
        try read(.seed, &seed)
        try read(.world, &world)
        try read(.orders, &orders)
        try read(.packings, &packings)
        try read(.steps, &steps)
        try read(.guidance, &guidance)
        try read(.cfg, &cfg)
        try read(.sampler, &sampler)
        try read(.shift, &shift)
        try read(.decode, &decode)
        try read(.hasBaselines, &hasBaselines)
        try read(.hasTextStarts, &hasTextStarts)
        try read(.shown, &shown)
    }

    /// What the rows of a model's report hold, in their order.
    ///
    /// - Throws: `FramePackError` for a setting outside its range.
    func rows(_ settings: ModelSettings) throws -> [EvaluationRowPlan] {
        var base = settings.request(prompt: "video", image: "picture")
        (base.seconds, base.sampler, base.shift, base.decode) = (seconds, sampler, shift, decode)
        var rows: [EvaluationRowPlan] = []
        if hasBaselines {
            rows += [
                EvaluationRowPlan(name: "rendered", kind: .rendered, request: base),
                EvaluationRowPlan(name: "VAE round trip", kind: .roundTrip, request: base),
            ]
        }
        for (order, packing) in layouts {
            for steps in steps.isEmpty ? [base.steps] : steps {
                for guidance in guidance.isEmpty ? [base.guidance] : guidance {
                    for cfg in cfg.isEmpty ? [base.cfg] : cfg {
                        var request = base
                        (request.order, request.packing) = (order, packing)
                        request.steps = steps
                        (request.guidance, request.cfg) = (guidance, cfg)
                        rows.append(
                            EvaluationRowPlan(
                                name: name(request), kind: .generated, request: request))
                        guard hasTextStarts else { continue }
                        request.image = nil
                        rows.append(
                            EvaluationRowPlan(
                                name: "\(name(request)), text only", kind: .generated,
                                request: request))
                    }
                }
            }
        }
        for row in rows { try row.request.validate() }
        return rows
    }

    private var layouts: [(SamplingOrder, Packing?)] {
        packings.isEmpty ? orders.map { ($0, nil) } : packings.map { ($0.order, $0) }
    }

    private func name(_ request: GenerationRequest) -> String {
        var name = request.packing?.name ?? request.order?.rawValue ?? ""
        if steps.count > 1 { name += " steps \(request.steps)" }
        if guidance.count > 1 { name += " guidance \(request.guidance)" }
        if cfg.count > 1 { name += " cfg \(request.cfg)" }
        return name
    }
}

/// Where the videos of a row come from.
struct EvaluationRowPlan {
    enum Kind: String {
        case rendered, roundTrip, generated
    }

    let name: String
    let kind: Kind
    let request: GenerationRequest

    /// How many videos the row has.
    func count(_ options: EvaluationOptions) -> Int {
        kind == .generated ? options.count : options.baselineCount ?? options.count
    }

    /// A folder's name that differs wherever the row's videos do.
    func key(_ options: EvaluationOptions) -> String {
        var parts = [
            "judge\(Judge.version)", kind.rawValue, options.world.rawValue, "\(options.seconds)s",
            "seed\(options.seed)",
        ]
        if kind == .generated {
            parts += [
                request.order?.rawValue ?? "", "steps\(request.steps)",
                "guidance\(request.guidance)", "cfg\(request.cfg)", request.sampler.rawValue,
                "shift\(request.shift.map { "\($0)" } ?? "auto")", request.decode.rawValue,
            ]
            if request.image == nil { parts.append("text") }
            if let packing = request.packing { parts.append(packing.name) }
        }
        return parts.joined(separator: "-")
    }
}
