package import FramePack
import TorchOptim

/// Tensors of one shape in a transformer, as far as a training's memory asks.
package struct TrainedTensors: Equatable {
    /// Numbers that go in and come out of a linear layer; nothing goes into a vector.
    package let inputs, outputs: Int
    /// How many there are.
    package let count: Int
    /// Whether a LoRA goes beside it.
    package let isAdapted: Bool

    /// Weights in all of them.
    package var weights: Int { count * max(inputs, 1) * outputs }

    /// The two matrices of a LoRA beside each: `rank` rows down, and as many columns up.
    package func adapters(rank: Int) -> [TrainedTensors] {
        guard isAdapted else { return [] }
        return [
            TrainedTensors(inputs: inputs, outputs: rank, count: count, isAdapted: false),
            TrainedTensors(inputs: rank, outputs: outputs, count: count, isAdapted: false),
        ]
    }

    /// Bytes that an optimizer keeps for all of them.
    package func stateBytes(_ optimizer: OptimizerChoice) -> Int {
        switch optimizer {
        case .adamw: return 8 * weights
        case .adamw8bit:
            let size = max(inputs, 1) * outputs
            guard inputs > 0, size >= AdamW8bit.smallestQuantised else { return 8 * weights }
            return count * 2 * (size + 4 * ((size + 255) / 256))
        case .adafactor: return 4 * count * (inputs + outputs)
        }
    }
}

extension TransformerSize {
    /// Every weight of the transformer; the sum is ``FramePack/TransformerSize/parameterCount``.
    ///
    /// LoRAs go beside the attention's and the feed-forward layers of the blocks.
    package var trainedTensors: [TrainedTensors] {
        let width = hiddenSize
        let double = doubleBlocks
        let single = singleBlocks
        var tensors: [TrainedTensors] = []
        func linear(_ inputs: Int, _ outputs: Int, _ count: Int, adapted: Bool = false) {
            tensors.append(
                TrainedTensors(
                    inputs: inputs, outputs: outputs, count: count, isAdapted: adapted))
            tensors.append(
                TrainedTensors(inputs: 0, outputs: outputs, count: count, isAdapted: false))
        }
        func vector(_ length: Int, _ count: Int) {
            tensors.append(
                TrainedTensors(inputs: 0, outputs: length, count: count, isAdapted: false))
        }
        func embedder(_ inputs: Int, _ count: Int = 1) {
            linear(inputs, width, count)
            linear(width, width, count)
        }
        // Double blocks: modulation, attention and a feed-forward layer for each of two streams.
        linear(width, 6 * width, 2 * double)
        linear(width, width, 8 * double, adapted: true)
        linear(width, 4 * width, 2 * double, adapted: true)
        linear(4 * width, width, 2 * double, adapted: true)
        vector(headSize, 4 * double)
        // Single blocks: attention and feed-forward layer come together in one output.
        linear(width, 3 * width, single)
        linear(width, width, 3 * single, adapted: true)
        linear(width, 4 * width, single, adapted: true)
        linear(5 * width, width, single, adapted: true)
        vector(headSize, 2 * single)
        // The refiner of the text.
        linear(width, width, 4 * refinerBlocks)
        linear(width, 4 * width, refinerBlocks)
        linear(4 * width, width, refinerBlocks)
        linear(width, 2 * width, refinerBlocks)
        vector(width, 4 * refinerBlocks)
        linear(textSize, width, 1)
        embedder(textSize)
        embedder(256, 3)
        embedder(pooledSize)
        // The start picture, the patches of four kernels, and the output.
        linear(visionSize, 3 * width, 1)
        linear(3 * width, width, 1)
        for volume in [4, 4, 32, 256] { linear(latentChannels * volume, width, 1) }
        linear(width, 2 * width, 1)
        linear(width, 4 * latentChannels, 1)
        return tensors
    }
}
