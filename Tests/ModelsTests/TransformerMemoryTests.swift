#if os(Linux)
    import Foundation
    import Models
    import Testing
    import Torch
    import TorchNN

    /// Bytes that a pass over 9,216 video tokens needs at its peak, beyond what was there before.
    ///
    /// It is this process's own peak, so nothing else may run beside it.
    private func peakOfOnePass(withGradients: Bool) throws -> Int {
        func bytes(_ key: String) throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(key) })
            let number = try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first)
            return try #require(Int(number)) * 1024
        }
        var config = TransformerConfig()
        (config.headCount, config.headSize, config.rotaryAxes) = (2, 8, [2, 2, 4])
        (config.doubleBlockCount, config.singleBlockCount) = (1, 1)
        (config.refinerBlockCount, config.textSize, config.pooledSize) = (1, 8, 8)
        config.hasImageProjection = false
        let weights = Weights(try RandomWeights(seed: 1))
        let model = try Transformer(config, weights)
        try weights.store.setRequiresGradient(withGradients)
        let input = TransformerInput(
            latents: try .randn([1, 16, 4, 96, 96]), timestep: try .ones([1]),
            guidance: try .ones([1]), indices: .shared([1, 2, 3, 4]),
            conditioning: Conditioning(
                promptEmbeds: try .ones([1, 3, 8]), pooled: try .ones([1, 8])))
        let before = try bytes("VmRSS")
        let velocity = try Torch.withGradients(enabled: withGradients) {
            () throws -> Tensor in
            try model(input, Execution(chunkSize: 1 << 20))
        }
        if withGradients { try velocity.square().mean().backward() }
        return try bytes("VmHWM") - before
    }

    /// One float32 score for each pair of tokens and head would be 680 MB.
    @Suite struct TransformerMemoryTests {
        @Test func noBufferHasTheSizeOfTheSequenceSquared() async {
            await #expect(processExitsWith: .success) {
                let used = try peakOfOnePass(withGradients: false)
                #expect(used < 256 << 20, "\(used >> 20) MiB")
            }
        }

        @Test func noGradientHasTheSizeOfTheSequenceSquared() async {
            await #expect(processExitsWith: .success) {
                let used = try peakOfOnePass(withGradients: true)
                #expect(used < 256 << 20, "\(used >> 20) MiB")
            }
        }
    }
#endif
