public import Foundation

/// The sizes of a FramePack transformer, as its `config.json` gives them.
///
/// A key that the file lacks has the released model's value, as in diffusers.
/// Source: diffusers `HunyuanVideoFramepackTransformer3DModel`, official
/// `HunyuanVideoTransformer3DModelPacked`.
public struct TransformerConfig: Codable, Sendable, Equatable {
    /// The class names that a `config.json` of this architecture carries.
    public static let classNames = [
        "HunyuanVideoTransformer3DModelPacked", "HunyuanVideoFramepackTransformer3DModel",
    ]

    /// What `_class_name` says; nil if the file has none.
    public var className: String?
    /// Channels of the latents that go in.
    public var inputChannels = 16
    /// Channels of the velocity that comes out.
    public var outputChannels = 16
    /// Heads of every attention.
    public var headCount = 24
    /// Width of one head.
    public var headSize = 128
    /// Blocks in which video and text have weights of their own.
    public var doubleBlockCount = 20
    /// Blocks in which video and text share weights.
    public var singleBlockCount = 40
    /// Blocks that refine the text before it meets the video.
    public var refinerBlockCount = 2
    /// Width of the feed-forward in units of the width.
    public var feedForwardRatio = 4.0
    /// Height and width of a patch, in latent pixels.
    public var patchSize = 2
    /// Frames of a patch; 1 is what is supported.
    public var patchFrames = 1
    /// The norm of queries and keys; `rms_norm` is what is supported.
    public var queryKeyNorm = "rms_norm"
    /// Whether the distilled guidance scale is an input.
    public var hasGuidance = true
    /// Width of the text encoder's states.
    public var textSize = 4096
    /// Width of the pooled text.
    public var pooledSize = 768
    /// Base of the rotary frequencies.
    public var rotaryBase = 256.0
    /// Channels of a head that turn with time, height and width.
    public var rotaryAxes = [16, 56, 56]
    /// Image conditioning of other members of the family; null is what is supported.
    public var imageConditionType: String?
    /// Whether vision tokens are an input.
    public var hasImageProjection = false
    /// Width of the vision encoder's states.
    public var imageSize = 1152
    /// Whether the history is an input.
    public var hasPackedContext = false
    /// The kernels that have a layer in `clean_x_embedder`.
    public var packingKernels = Self.releasedKernels
    /// Coarser kernels without a layer: latents are averaged, then go through the coarsest layer whose
    /// kernel divides theirs, which is what a new layer would do as the paper initializes it.
    ///
    /// Nil for the paper's rule: k16 goes through the layer of k8, where there is one.
    public var downsampledKernels: [PatchKernel]?

    /// The kernels of the released models.
    public static let releasedKernels = [1, 2, 4].map { PatchKernel(rate: $0) }

    /// Width of the tokens.
    public var hiddenSize: Int { headCount * headSize }
    /// Width inside the feed-forward of the blocks.
    public var feedForwardSize: Int { Int(Double(hiddenSize) * feedForwardRatio) }

    /// The sizes of the released model.
    public init() {
        hasImageProjection = true
        hasPackedContext = true
    }

    enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case inputChannels = "in_channels"
        case outputChannels = "out_channels"
        case headCount = "num_attention_heads"
        case headSize = "attention_head_dim"
        case doubleBlockCount = "num_layers"
        case singleBlockCount = "num_single_layers"
        case refinerBlockCount = "num_refiner_layers"
        case feedForwardRatio = "mlp_ratio"
        case patchSize = "patch_size"
        case patchFrames = "patch_size_t"
        case queryKeyNorm = "qk_norm"
        case hasGuidance = "guidance_embeds"
        case textSize = "text_embed_dim"
        case pooledSize = "pooled_projection_dim"
        case rotaryBase = "rope_theta"
        case rotaryAxes = "rope_axes_dim"
        case imageConditionType = "image_condition_type"
        case hasImageProjection = "has_image_proj"
        case imageSize = "image_proj_dim"
        case hasPackedContext = "has_clean_x_embedder"
        case packingKernels = "packing_kernels"
        case downsampledKernels = "downsampled_kernels"
    }

    /// Reads the keys of a `config.json`; unknown ones are ignored.
    public init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
            value = try file.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        className = try file.decodeIfPresent(String.self, forKey: .className)
        imageConditionType = try file.decodeIfPresent(String.self, forKey: .imageConditionType)
        try read(.inputChannels, &inputChannels)
        try read(.outputChannels, &outputChannels)
        try read(.headCount, &headCount)
        try read(.headSize, &headSize)
        try read(.doubleBlockCount, &doubleBlockCount)
        try read(.singleBlockCount, &singleBlockCount)
        try read(.refinerBlockCount, &refinerBlockCount)
        try read(.feedForwardRatio, &feedForwardRatio)
        try read(.patchSize, &patchSize)
        try read(.patchFrames, &patchFrames)
        try read(.queryKeyNorm, &queryKeyNorm)
        try read(.hasGuidance, &hasGuidance)
        try read(.textSize, &textSize)
        try read(.pooledSize, &pooledSize)
        try read(.rotaryBase, &rotaryBase)
        try read(.rotaryAxes, &rotaryAxes)
        try read(.hasImageProjection, &hasImageProjection)
        try read(.imageSize, &imageSize)
        try read(.hasPackedContext, &hasPackedContext)
        try read(.packingKernels, &packingKernels)
        downsampledKernels = try file.decodeIfPresent(
            [PatchKernel].self, forKey: .downsampledKernels)
    }

    /// The layer that encodes a kernel, and over how many latents along each axis, frames, rows and
    /// columns, it sees means; nil for a kernel that the model lacks.
    func layer(of kernel: PatchKernel) -> (kernel: PatchKernel, averaging: [Int])? {
        guard hasPackedContext else { return nil }
        if packingKernels.contains(kernel) { return (kernel, [1, 1, 1]) }
        guard averagedKernels.contains(kernel), let coarsest = coarsestLayer(dividing: kernel)
        else {
            return nil
        }
        return (coarsest, zip(kernel.sides, coarsest.sides).map { $0 / $1 })
    }

    /// The coarsest kernel with a layer of which another is a multiple along each axis.
    private func coarsestLayer(dividing kernel: PatchKernel) -> PatchKernel? {
        packingKernels.filter { layer in
            zip(kernel.sides, layer.sides).allSatisfy { $0 % $1 == 0 }
        }.max { $0.volume < $1.volume }
    }

    private var averagedKernels: [PatchKernel] {
        let paper = packingKernels.contains(PatchKernel(rate: 8)) ? [PatchKernel(rate: 16)] : []
        return downsampledKernels ?? paper
    }

    /// Whether frames can be encoded by a kernel.
    public func encodes(_ kernel: PatchKernel) -> Bool { layer(of: kernel) != nil }

    /// The kernels that can be used, as text: "k1, k2 and k4".
    public var kernelNames: String {
        guard hasPackedContext else { return "none" }
        let names = (packingKernels + averagedKernels).map(\.description)
        return names.dropLast().joined(separator: ", ") + (names.count > 1 ? " and " : "")
            + (names.last ?? "none")
    }
}

extension TransformerConfig {
    /// Reads and checks a `config.json`.
    ///
    /// - Parameter file: What errors call the file.
    /// - Throws: `ModelError` that names the file and the key.
    public init(json: Data, file: String = "config.json") throws(ModelError) {
        do {
            self = try JSONDecoder().decode(TransformerConfig.self, from: json)
        } catch let error as DecodingError {
            throw ModelError("\(file): \(Self.reason(error)).")
        } catch {
            throw ModelError("\(file) cannot be read: \(error).")
        }
        try check(file: file)
    }

    private static func reason(_ error: DecodingError) -> String {
        func key(_ context: DecodingError.Context) -> String? {
            context.codingPath.first.map { "the key \($0.stringValue)" }
        }
        switch error {
        case .typeMismatch(let type, let context):
            return "\(key(context) ?? "the file") does not hold a value of type \(type)"
        case .valueNotFound(let type, let context):
            return "\(key(context) ?? "the file") is null where a \(type) is needed"
        case .dataCorrupted(let context):
            return key(context).map { "\($0) holds no usable value" } ?? "the file is not JSON"
        default: return "the file does not describe a transformer"
        }
    }

    /// Checks that the values describe a network that can be built.
    ///
    /// - Throws: `ModelError` that names the file and the key.
    public func check(file: String = "config.json") throws(ModelError) {
        if let className, !Self.classNames.contains(className) {
            throw ModelError(
                """
                \(file): _class_name is \(className); a FramePack transformer is a \
                \(Self.classNames.joined(separator: " or a ")).
                """)
        }
        let sizes: [(CodingKeys, Int)] = [
            (.inputChannels, inputChannels), (.outputChannels, outputChannels),
            (.headCount, headCount), (.headSize, headSize), (.patchSize, patchSize),
            (.textSize, textSize), (.pooledSize, pooledSize), (.imageSize, imageSize),
            (.doubleBlockCount, doubleBlockCount), (.singleBlockCount, singleBlockCount),
        ]
        for (key, value) in sizes where !(1...1_000_000).contains(value) {
            throw ModelError(
                "\(file): \(key.rawValue) is \(value); it must be from 1 to 1000000.")
        }
        guard (0...1_000_000).contains(refinerBlockCount) else {
            throw ModelError(
                "\(file): num_refiner_layers is \(refinerBlockCount); it must be at least 0.")
        }
        guard feedForwardRatio > 0, feedForwardRatio < 1000, feedForwardSize > 0 else {
            throw ModelError("\(file): mlp_ratio is \(feedForwardRatio); it must be above 0.")
        }
        guard rotaryBase > 0, rotaryBase.isFinite else {
            throw ModelError("\(file): rope_theta is \(rotaryBase); it must be above 0.")
        }
        try checkFixedValues(file: file)
    }

    private func checkFixedValues(file: String) throws(ModelError) {
        guard rotaryAxes.count == 3, rotaryAxes.allSatisfy({ $0 > 0 && $0 % 2 == 0 }),
            rotaryAxes.reduce(0, +) == headSize
        else {
            throw ModelError(
                """
                \(file): rope_axes_dim is \(rotaryAxes); it must be three even numbers above 0 \
                with the sum attention_head_dim, \(headSize).
                """)
        }
        guard patchFrames == 1 else {
            throw ModelError("\(file): patch_size_t is \(patchFrames); only 1 is supported.")
        }
        guard queryKeyNorm == "rms_norm" else {
            throw ModelError("\(file): qk_norm is \(queryKeyNorm); only rms_norm is supported.")
        }
        for (index, kernel) in packingKernels.enumerated() {
            guard kernel.height % patchSize == 0, kernel.width % patchSize == 0,
                !packingKernels[..<index].contains(kernel)
            else {
                throw ModelError(
                    """
                    \(file): packing_kernels has \(kernel); each kernel stands there once, and \
                    its height and width are multiples of patch_size, \(patchSize).
                    """)
            }
        }
        for kernel in downsampledKernels ?? [] where coarsestLayer(dividing: kernel) == nil {
            throw ModelError(
                """
                \(file): downsampled_kernels has \(kernel), which is a multiple of none of \
                packing_kernels; leave it out.
                """)
        }
        if let imageConditionType {
            throw ModelError(
                """
                \(file): image_condition_type is \(imageConditionType); a FramePack transformer \
                has null.
                """)
        }
    }
}
