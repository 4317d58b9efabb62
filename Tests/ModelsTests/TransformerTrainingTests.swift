import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct TransformerTrainingTests {
    /// Loss and gradients by parameter of the stored case.
    private func gradients(
        _ golden: TransformerFixture, _ execution: Execution = Execution()
    ) throws -> (loss: Tensor, gradients: [String: Tensor]) {
        try golden.store.setRequiresGradient(true)
        let velocity = try golden.model(golden.input, execution)
        let loss = try velocity.squaredError(golden.tensor("in.target"))
        try loss.backward()
        let gradients = try golden.store.parameters.compactMap { parameter in
            try parameter.value.gradient().map { (parameter.name, $0) }
        }
        return (try loss.detach(), Dictionary(uniqueKeysWithValues: gradients))
    }

    private func norm(_ gradients: [String: Tensor]) throws -> Tensor {
        try Tensor([Float(gradients.values.reduce(0) { try $0 + $1.square().sum().item() })])
            .sqrt()
    }

    @Test(arguments: [false, true], [0, 4096])
    func givesTheGradientsOfTheReference(checkpointed: Bool, longestScores: Int) throws {
        let golden = try TransformerFixture("gradients")
        let (loss, gradients) = try gradients(
            golden, Execution(checkpointsBlocks: checkpointed, longestScores: longestScores))
        try expectClose(loss.reshape(1), golden.tensor("out.loss"), "loss")
        #expect(gradients.count == golden.store.parameters.count)
        for (key, wanted) in golden.tensors where key.hasPrefix("out.gradient.") {
            let name = String(key.dropFirst("out.gradient.".count))
            let actual = try #require(gradients[name], "\(name) has no gradient")
            try expectClose(actual, wanted, absolute: 1e-7, relative: 1e-4, name)
        }
        try expectClose(
            norm(gradients), golden.tensor("out.gradient_norm"), absolute: 1e-7,
            relative: 1e-4, "norm of all gradients")
    }

    @Test func givesGradientsToEveryWeightInBFloat16Too() throws {
        let golden = try TransformerFixture("gradients")
        let (_, gradients) = try gradients(golden, Execution(dtype: .bfloat16))
        for parameter in golden.store.parameters {
            let gradient = try #require(gradients[parameter.name], "\(parameter.name)")
            #expect(gradient.dtype == .float32)
            #expect(try gradient.abs().max().item() > 0, "\(parameter.name)")
        }
        let wanted = try golden.tensor("out.gradient_norm").item()
        let actual = try norm(gradients).item()
        #expect(abs(actual - wanted) < 0.02 * wanted, "\(actual) for \(wanted)")
    }

    @Test func checkpointingGivesGradientsToABlockBehindFrozenEmbeddings() throws {
        let name = "transformer_blocks.0.attn.to_k.weight"
        let golden = try TransformerFixture("gradients")
        let weight = try #require(golden.store[name])
        try weight.value.setRequiresGradient(true)
        let velocity = try golden.model(golden.input, Execution(checkpointsBlocks: true))
        try velocity.squaredError(golden.tensor("in.target")).backward()
        let gradient = try #require(try weight.value.gradient())
        try expectClose(
            gradient, golden.tensor("out.gradient.\(name)"), absolute: 1e-7, relative: 1e-4, name)
    }

    @Test func freshWeightsBeginWithNoVelocityAndAGradientForIt() throws {
        let golden = try TransformerFixture("gradients")
        let weights = Weights(try RandomWeights(seed: 1))
        let model = try Transformer(golden.model.config, weights)
        try weights.store.setRequiresGradient(true)
        let velocity = try model(golden.input)
        #expect(try velocity.abs().max().item() == 0)
        try velocity.squaredError(golden.tensor("in.target")).backward()
        let gradient = try #require(try weights.store["proj_out.weight"]?.value.gradient())
        #expect(try gradient.abs().max().item() > 0)
    }
}
