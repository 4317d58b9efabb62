package import Models

/// The sizes of what the cases measure.
package struct BenchmarkSizes {
    /// Tokens of one pass through two blocks.
    package struct BlockTokens {
        /// Frames, and patches of a frame along height and width: the video's tokens.
        package var frames, height, width: Int
        /// Tokens of text and picture.
        package var text: Int

        /// Puts the counts together.
        package init(frames: Int, height: Int, width: Int, text: Int) {
            (self.frames, self.height, self.width, self.text) = (frames, height, width, text)
        }

        /// Video tokens.
        package var video: Int { frames * height * width }
    }

    /// The transformer of `transformer-300m`.
    package var transformer = TransformerConfig()
    /// Latent frames, height and width of its section.
    package var section = [9, 30, 52]
    /// Text tokens of its section.
    package var textTokens = 256
    /// Vision tokens of its section.
    package var visionTokens = 729
    /// The transformer of which two blocks are measured.
    package var block = TransformerConfig()
    /// The transformer of `released-256`.
    package var released = TransformerConfig()
    /// Tokens of the smaller pass: 9 frames of 256 x 416 pixels and a prompt.
    package var fewTokens = BlockTokens(frames: 9, height: 16, width: 26, text: 256)
    /// Tokens of the larger pass: as many video tokens as 608 x 640 has with its history.
    package var manyTokens = BlockTokens(frames: 20, height: 25, width: 35, text: 800)
    /// The VAE.
    package var vae = VAEConfig()
    /// Latent frames that are decoded.
    package var latentFrames = 9
    /// Height and width of the smaller latents.
    package var smallLatents = 16
    /// Height and width of the larger latents.
    package var largeLatents = 32
    /// The Llama encoder.
    package var llama = LlamaConfig()
    /// Tokens of its prompt: the template's 95 and 256 of text.
    package var promptTokens = 351
    /// The CLIP text encoder.
    package var clip = CLIPTextConfig()
    /// The vision encoder.
    package var siglip = SigLIPVisionConfig()

    /// The sizes of the reports.
    package init() {
        transformer.className = TransformerConfig.classNames[1]
        transformer.headCount = 8
        (transformer.doubleBlockCount, transformer.singleBlockCount) = (4, 8)
        block.className = TransformerConfig.classNames[1]
        released.className = TransformerConfig.classNames[1]
        (block.doubleBlockCount, block.singleBlockCount) = (1, 1)
        llama.vocabularySize = 32_000
        llama.intermediateSize = 14_336
        llama.layerCount = 4
        llama.keyValueHeadCount = 8
        llama.rotaryBase = 500_000
        llama.normEpsilon = 1e-5
        (clip.hiddenSize, clip.intermediateSize, clip.headCount) = (768, 3072, 12)
        (siglip.hiddenSize, siglip.intermediateSize) = (1152, 4304)
        (siglip.layerCount, siglip.headCount) = (27, 16)
        (siglip.imageSize, siglip.patchSize) = (384, 14)
        siglip.hasHead = false
    }
}
