public import Foundation
import FramePack
public import Models
public import Tokenizers
public import TorchNN
import ToyWorld

/// The sizes of the small model: the released architecture, everything narrower.
public struct SmallModelSizes: Codable, Sendable {
    /// The side of the pictures, in pixels.
    public var side = 64
    /// The transformer.
    public var transformer: TransformerConfig
    /// The text encoder.
    public var llama: LlamaConfig
    /// The pooled text encoder.
    public var clip: CLIPTextConfig
    /// The vision encoder.
    public var siglip: SigLIPVisionConfig

    /// Coarse kernels without a layer of their own: k8's alone would be as large as all the rest, and
    /// covers more than a whole picture.
    static let downsampledKernels =
        [8, 16].map { PatchKernel(rate: $0) }
        + [(2, 4), (4, 4), (4, 8), (8, 4), (8, 8)].map {
            PatchKernel(frames: 1, height: $0, width: $1)
        }

    /// The shipped sizes.
    public init(side: Int = 64) {
        self.side = side
        transformer = TransformerConfig()
        transformer.className = TransformerConfig.classNames[0]
        transformer.headCount = 4
        transformer.headSize = 64
        transformer.rotaryAxes = [16, 24, 24]
        transformer.doubleBlockCount = 2
        transformer.singleBlockCount = 4
        transformer.refinerBlockCount = 1
        transformer.feedForwardRatio = 3
        transformer.textSize = 128
        transformer.pooledSize = 64
        transformer.imageSize = 64
        transformer.downsampledKernels = Self.downsampledKernels
        llama = LlamaConfig()
        llama.vocabularySize = 768
        llama.hiddenSize = 128
        llama.intermediateSize = 256
        llama.layerCount = 4
        llama.headCount = 4
        llama.keyValueHeadCount = 2
        llama.headSize = 32
        llama.rotaryBase = 10000
        llama.normEpsilon = 1e-5
        clip = CLIPTextConfig()
        clip.vocabularySize = 768
        clip.hiddenSize = 64
        clip.intermediateSize = 128
        clip.layerCount = 2
        clip.headCount = 2
        siglip = SigLIPVisionConfig()
        siglip.hiddenSize = 64
        siglip.intermediateSize = 128
        siglip.layerCount = 2
        siglip.headCount = 2
        siglip.imageSize = side
        siglip.patchSize = side / 4
        siglip.hasHead = false
    }
}

/// The small model's trained parts over one store of parameters.
public final class SmallModel {
    /// The sizes, with the tokenizers' vocabularies.
    public let sizes: SmallModelSizes
    /// The parameters of all networks, each under its folder's name.
    public let store = ParameterStore()
    /// Denoises latents.
    public let transformer: Transformer
    /// Encodes prompts.
    public let llama: LlamaTextEncoder
    /// Pools prompts.
    public let clip: CLIPTextEncoder
    /// Encodes the start picture.
    public let siglip: SigLIPVisionEncoder
    /// Llama's tokenizer.
    public let tokenizer: Tokenizer
    /// CLIP's tokenizer.
    public let tokenizer2: Tokenizer
    /// Tokens of the template's head.
    public let crop: Int

    /// Builds the networks on the tokenizers of a model folder.
    public init(_ sizes: SmallModelSizes, folder: URL, source: any WeightSource) throws {
        var sizes = sizes
        tokenizer = try Tokenizer(folder: folder.appendingPathComponent("tokenizer"))
        tokenizer2 = try Tokenizer(folder: folder.appendingPathComponent("tokenizer_2"))
        crop = PromptTemplate.crop(tokenizer)
        sizes.llama.vocabularySize = tokenizer.vocabularySize
        sizes.clip.vocabularySize = tokenizer2.vocabularySize
        sizes.clip.endTokenID = tokenizer2.endTokenID ?? sizes.clip.endTokenID
        self.sizes = sizes
        let weights = Weights(source, store: store)
        transformer = try Transformer(sizes.transformer, weights["transformer"])
        llama = try LlamaTextEncoder(sizes.llama, weights["text_encoder"])
        clip = try CLIPTextEncoder(sizes.clip, weights["text_encoder_2"])
        siglip = try SigLIPVisionEncoder(sizes.siglip, weights["image_encoder"])
    }

    /// Learns both vocabularies from the world's captions and the template, and writes them.
    public static func writeTokenizers(
        to folder: URL, sizes: SmallModelSizes, seed: UInt64, captions count: Int = 4000
    ) throws {
        let captions = Captions.corpus(count: count, seed: seed)
        let llama = try BytePairTrainer(
            lines: captions + [String](repeating: PromptTemplate.head, count: 40),
            vocabularySize: sizes.llama.vocabularySize, style: .llama)
        try llama.write(to: folder.appendingPathComponent("tokenizer"))
        let clip = try BytePairTrainer(
            lines: captions, vocabularySize: sizes.clip.vocabularySize, style: .clip)
        try clip.write(to: folder.appendingPathComponent("tokenizer_2"))
    }
}
