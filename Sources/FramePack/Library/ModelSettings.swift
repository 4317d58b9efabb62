/// What a model's `framepack.json` says beside the networks; all of it is optional.
public struct ModelSettings: Codable, Sendable, Equatable {
    /// The world that a small model knows.
    public struct World: Codable, Sendable, Equatable {
        /// What it knows, as the end of "This small model knows only ...".
        public var description: String
        /// The words of its captions, in lower case.
        public var words: [String]
        /// How to get a model that knows more, as a sentence.
        public var advice: String
        /// The least PSNR, in dB, with which the VAE gives back a picture of the world.
        public var leastPictureQuality: Double?
        /// Red, green and blue of the colours that its objects have.
        public var colours: [[UInt8]]?
        /// How far red, green and blue of a background lie apart at most.
        public var backgroundChroma: Int?

        /// Describes a world.
        public init(description: String, words: [String], advice: String) {
            (self.description, self.words, self.advice) = (description, words, advice)
        }
    }

    /// The model's name.
    public var name: String?
    /// Tokens of the prompt template's head; by default counted with the model's tokenizer.
    public var promptCrop: Int?
    /// The order that it was trained for.
    public var order: SamplingOrder?
    /// The side of a square of its area, in pixels.
    public var resolution: Int?
    /// Steps of a section.
    public var steps: Int?
    /// Distilled guidance.
    public var guidance: Double?
    /// True guidance.
    public var cfg: Double?
    /// Frames per second.
    public var fps: Int?
    /// Latents of a section.
    public var window: Int?
    /// Red, green and blue of the picture that a start from text alone begins with; black as
    /// default.
    public var plainColour: [UInt8]?
    /// The preview's map; HunyuanVideo's as default.
    public var preview: LatentPreview.Map?
    /// How long what the transformer's blocks add is in each step, for MagCache; as
    /// `framepack calibrate` measures it.
    public var magnitudeRatios: MagnitudeRatios?
    /// The world of a small model; nil for one that knows ours.
    public var world: World?

    /// Settings with nothing in them.
    public init() {}

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, promptCrop, order, resolution, steps, guidance, cfg, fps, window, plainColour
        case preview, magnitudeRatios, world
    }

    /// Reads settings.
    ///
    /// - Throws: `FramePackError.unknownKey` for any other key.
    public init(from decoder: any Decoder) throws {
        try KnownKeys.check(
            decoder, within: "framepack.json", known: CodingKeys.allCases.map(\.rawValue))
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decodeIfPresent(String.self, forKey: .name)
        promptCrop = try fields.decodeIfPresent(Int.self, forKey: .promptCrop)
        order = try fields.decodeIfPresent(SamplingOrder.self, forKey: .order)
        resolution = try fields.decodeIfPresent(Int.self, forKey: .resolution)
        steps = try fields.decodeIfPresent(Int.self, forKey: .steps)
        guidance = try fields.decodeIfPresent(Double.self, forKey: .guidance)
        cfg = try fields.decodeIfPresent(Double.self, forKey: .cfg)
        fps = try fields.decodeIfPresent(Int.self, forKey: .fps)
        window = try fields.decodeIfPresent(Int.self, forKey: .window)
        plainColour = try fields.decodeIfPresent([UInt8].self, forKey: .plainColour)
        preview = try fields.decodeIfPresent(LatentPreview.Map.self, forKey: .preview)
        magnitudeRatios = try fields.decodeIfPresent(
            MagnitudeRatios.self, forKey: .magnitudeRatios)
        world = try fields.decodeIfPresent(World.self, forKey: .world)
    }

    /// A request with the model's own defaults; overwrite in it what the user asked for.
    public func request(prompt: String, image: String? = nil) -> GenerationRequest {
        var request = GenerationRequest(prompt: prompt, image: image)
        request.steps = steps ?? request.steps
        request.guidance = guidance ?? request.guidance
        request.cfg = cfg ?? request.cfg
        request.fps = fps ?? request.fps
        request.window = window ?? request.window
        return request
    }

    /// Words that say nothing of what is seen; that a small model has not read them does no harm.
    private static let functionWords = Set(
        """
        a an and are as at be by for from he her his i in into is it its of on or please \
        shall she show so some that the their then there they this to very video we which \
        while will with
        """.split(separator: " ").map(String.init))

    /// One line for the user where a small model will hardly understand a prompt: it names the words
    /// that are not among those it was trained with.
    public func warning(prompt: String) -> String? {
        guard let world else { return nil }
        let known = Self.functionWords.union(world.words)
        let words = prompt.lowercased().split { !$0.isLetter }.map(String.init)
        var strange: [String] = []
        for word in words where !known.contains(word) && !strange.contains(word) {
            strange.append(word)
        }
        guard !strange.isEmpty else { return nil }
        let named = strange.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
        return "This small model does not know \(named)\(strange.count > 3 ? " and more" : ""); it "
            + "knows only \(world.description). \(world.advice)"
    }

    /// Checks the values.
    ///
    /// - Throws: `FramePackError.model` that names the file and the key.
    func check(file: String) throws(FramePackError) {
        func within(_ key: String, _ value: Int?, _ range: ClosedRange<Int>) throws(FramePackError)
        {
            guard let value, !range.contains(value) else { return }
            throw .model(
                "\(file): \(key) is \(value); it must be from \(range.lowerBound) to "
                    + "\(range.upperBound).")
        }
        try within("promptCrop", promptCrop, 0...4096)
        try within("resolution", resolution, GenerationRequest.Limits.resolution)
        try within("steps", steps, GenerationRequest.Limits.steps)
        try within("fps", fps, GenerationRequest.Limits.fps)
        try within("window", window, GenerationRequest.Limits.window)
        try within("plainColour's length", plainColour?.count, 3...3)
        if let problem = preview?.problem(channels: preview?.weights.count ?? 0) {
            throw .model("\(file): \(problem).")
        }
        if let problem = magnitudeRatios?.problem {
            throw .model("\(file): magnitudeRatios \(problem).")
        }
    }
}
