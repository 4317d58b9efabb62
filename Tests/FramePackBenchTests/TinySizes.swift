import FramePackBench
import Models

extension BenchmarkSizes {
    /// Sizes that a test computes in a moment.
    static var tiny: BenchmarkSizes {
        var sizes = BenchmarkSizes()
        func shrink(_ config: inout TransformerConfig) {
            (config.headCount, config.headSize, config.rotaryAxes) = (2, 8, [2, 2, 4])
            (config.doubleBlockCount, config.singleBlockCount) = (1, 1)
            config.refinerBlockCount = 1
            (config.textSize, config.pooledSize, config.imageSize) = (12, 10, 14)
        }
        shrink(&sizes.transformer)
        shrink(&sizes.block)
        shrink(&sizes.released)
        (sizes.section, sizes.textTokens, sizes.visionTokens) = ([3, 8, 8], 5, 4)
        sizes.fewTokens = .init(frames: 2, height: 3, width: 4, text: 6)
        sizes.vae = VAEConfig(
            latentChannels: 4, blockOutChannels: [4, 4, 8, 8], layersPerBlock: 1, normNumGroups: 2)
        (sizes.latentFrames, sizes.smallLatents) = (9, 2)
        sizes.llama.vocabularySize = 40
        (sizes.llama.hiddenSize, sizes.llama.intermediateSize) = (16, 24)
        (sizes.llama.headCount, sizes.llama.keyValueHeadCount) = (2, 1)
        (sizes.llama.headSize, sizes.llama.layerCount, sizes.promptTokens) = (8, 2, 7)
        (sizes.clip.vocabularySize, sizes.clip.endTokenID) = (40, 39)
        (sizes.clip.hiddenSize, sizes.clip.intermediateSize) = (16, 24)
        (sizes.clip.headCount, sizes.clip.layerCount, sizes.clip.positionCount) = (2, 2, 9)
        (sizes.siglip.hiddenSize, sizes.siglip.intermediateSize) = (16, 24)
        (sizes.siglip.headCount, sizes.siglip.layerCount) = (2, 2)
        (sizes.siglip.imageSize, sizes.siglip.patchSize) = (12, 4)
        return sizes
    }
}
