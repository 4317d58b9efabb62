import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct AdapterTrainingTests {
    private static let config = LowRankConfig(rank: 3, alpha: 6)

    private func loss(_ golden: TransformerFixture, _ execution: Execution = Execution()) throws
        -> Tensor
    {
        try golden.model(golden.input, execution).squaredError(golden.tensor("in.target"))
    }

    /// Gives B numbers, as after some steps of training.
    private func fill(_ adapters: AdapterSet) throws {
        let generator = try Generator(seed: 5)
        try withoutGradients {
            for (_, adapter) in adapters.adapters {
                let up = try #require(adapter as? LowRankAdapter).up.value
                try up.normalInPlace(deviation: 0.05, generator: generator)
            }
        }
    }

    /// With plain kernels: fused ones join a product with its activation where no adapter comes
    /// between them.
    @Test func freshAdaptersAddNothingBitForBit() throws {
        let golden = try TransformerFixture("gradients")
        let before = try Kernels.plainly { try golden.model(golden.input) }
        let adapters = try golden.model.attachFreshAdapters(Self.config, seed: 1)
        let after = try Kernels.plainly { try golden.model(golden.input) }
        #expect(try before.array(Float.self) == after.array(Float.self))
        #expect(adapters.store.parameters.count == 2 * adapters.adapters.count)
        for (name, adapter) in adapters.adapters {
            let down = try #require(adapter as? LowRankAdapter).down
            #expect(down.name == "\(name).lora_A.weight")
            let largest = try down.value.abs().max().item()
            let bound = 1 / Double(adapter.inputSize).squareRoot()
            #expect(largest <= bound && largest > bound / 2, "\(name)")
        }
    }

    @Test func theDefaultsAreTheLinearLayersOfTheBlocksWithoutTheirNorms() throws {
        let golden = try TransformerFixture("gradients")
        let chosen = try LowRankConfig().layers(among: golden.model.linears).map(\.name)
        let config = golden.model.config
        #expect(chosen.count == 12 * config.doubleBlockCount + 5 * config.singleBlockCount)
        #expect(chosen.contains("transformer_blocks.0.attn.to_out.0"))
        #expect(chosen.contains("transformer_blocks.0.ff_context.net.0.proj"))
        #expect(chosen.contains("single_transformer_blocks.0.proj_mlp"))
        #expect(!chosen.contains { $0.contains("norm") || $0.contains("embedder") })
        let some = LowRankConfig(rank: 1, targets: [#"attn\.to_[qk]$"#], excluded: ["^single"])
        #expect(
            try some.layers(among: golden.model.linears).count == 2
                * (config.doubleBlockCount + config.refinerBlockCount))
    }

    @Test func saysWhatIsWrongWithAConfiguration() throws {
        let layers = try TransformerFixture("gradients").model.linears
        for (config, part) in [
            (LowRankConfig(rank: 0), "rank is 0"), (LowRankConfig(rank: 1, alpha: 0), "alpha is 0"),
            (LowRankConfig(rank: 1, targets: ["("]), "\"(\""),
            (LowRankConfig(rank: 1, targets: ["none"]), "No linear layer"),
        ] {
            #expect { try config.layers(among: layers) } throws: { "\($0)".contains(part) }
        }
    }

    /// With W' = W + s·B·A: dL/dB = s·(dL/dW')·Aᵀ and dL/dA = s·Bᵀ·(dL/dW').
    @Test(arguments: [false, true])
    func givesTheGradientsOfTheMergedWeight(checkpointed: Bool) throws {
        let execution = Execution(checkpointsBlocks: checkpointed)
        let golden = try TransformerFixture("gradients")
        let adapters = try golden.model.attachFreshAdapters(Self.config, seed: 1)
        try fill(adapters)
        let adapted = try loss(golden, execution)
        try adapted.backward()

        let merged = try TransformerFixture("gradients")
        for (name, adapter) in adapters.adapters {
            let weight = try #require(merged.store["\(name).weight"])
            let adapter = try #require(adapter as? LowRankAdapter)
            try withoutGradients {
                let product = try adapter.up.value.matmul(adapter.down.value)
                weight.value = try (weight.value + product * adapter.scale).detach()
            }
            try weight.value.setRequiresGradient(true)
        }
        let wanted = try loss(merged, execution)
        try wanted.backward()
        try expectClose(adapted.detach().reshape(1), wanted.detach().reshape(1), "loss")
        for (name, adapter) in adapters.adapters {
            let adapter = try #require(adapter as? LowRankAdapter)
            let gradient = try #require(try merged.store["\(name).weight"]?.value.gradient())
            try withoutGradients {
                let (a, b) = (try adapter.down.value.detach(), try adapter.up.value.detach())
                try expectClose(
                    #require(try adapter.up.value.gradient(), "\(name)"),
                    gradient.matmul(a.transpose(0, 1)) * adapter.scale, absolute: 1e-8,
                    relative: 1e-3, "\(name), B")
                try expectClose(
                    #require(try adapter.down.value.gradient(), "\(name)"),
                    b.transpose(0, 1).matmul(gradient) * adapter.scale, absolute: 1e-8,
                    relative: 1e-3, "\(name), A")
            }
        }
    }

    @Test func trainsAdaptersAloneInBFloat16WithCheckpoints() throws {
        let golden = try TransformerFixture("gradients", dtype: .bfloat16)
        try golden.store.setRequiresGradient(true)
        let before = try golden.store.tensors.mapValues { try $0.detach().clone() }
        let adapters = try golden.model.attachFreshAdapters(Self.config, seed: 1)
        let execution = Execution(dtype: .bfloat16, checkpointsBlocks: true)
        let first = try loss(golden, execution)
        try first.backward()
        for parameter in golden.store.parameters {
            #expect(try parameter.value.gradient() == nil, "\(parameter.name)")
        }
        for (name, adapter) in adapters.adapters {
            let adapter = try #require(adapter as? LowRankAdapter)
            let gradient = try #require(try adapter.up.value.gradient(), "\(name)")
            #expect(gradient.dtype == .float32)
            #expect(try gradient.norm().item() > 0, "\(name)")
            // B is zeros, and what leads through it with it.
            #expect(try adapter.down.value.gradient()?.abs().max().item() == 0, "\(name)")
        }
        try withoutGradients {
            for parameter in adapters.store.parameters {
                guard let gradient = try parameter.value.gradient() else { continue }
                try parameter.value.addInPlace(gradient, scale: -0.05)
            }
        }
        #expect(try loss(golden, execution).item() < first.item())
        for parameter in golden.store.parameters {
            let old = try #require(before[parameter.name])
            #expect(try parameter.value.equal(old).to(.float32).min().item() == 1)
        }
    }
}
