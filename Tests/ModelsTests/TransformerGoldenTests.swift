import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct TransformerGoldenTests {
    @Test func givesTheProvidedCase() throws {
        let golden = try TransformerFixture("even_b1", in: "goldens/transformer")
        let velocity = try withoutGradients { try golden.model(golden.input) }
        try expectClose(velocity, golden.tensor("out.sample"), "even_b1")
    }

    @Test func givesTheProvidedCaseWithWeightsRoundedToBFloat16() throws {
        let golden = try TransformerFixture(
            "even_b1", in: "goldens/transformer", dtype: .bfloat16)
        let velocity = try withoutGradients { try golden.model(golden.input) }
        try expectClose(
            velocity, golden.tensor("out.sample_bf16_weights"), "even_b1, bf16 weights")
    }

    @Test(arguments: transformerCases)
    func givesCasesOfOtherShapes(_ name: String) throws {
        let golden = try TransformerFixture(name)
        let velocity = try withoutGradients { try golden.model(golden.input) }
        try expectClose(velocity, golden.tensor("out.sample"), name)
    }

    @Test(arguments: transformerCases)
    func givesCasesOfOtherShapesWithWeightsRoundedToBFloat16(_ name: String) throws {
        let golden = try TransformerFixture(name, dtype: .bfloat16)
        let velocity = try withoutGradients { try golden.model(golden.input) }
        try expectClose(
            velocity, golden.tensor("out.sample_bf16_weights"), "\(name), bf16 weights")
    }

    @Test(arguments: transformerCases)
    func readsShardsOfBFloat16(_ name: String) throws {
        let golden = try TransformerFixture(name, model: "model_sharded_bf16", dtype: nil)
        let velocity = try withoutGradients { try golden.model(golden.input) }
        try expectClose(velocity, golden.tensor("out.sample_bf16_weights"), "\(name), shards")
    }

    @Test func showsNoOtherEpsilonWhereActivationsAreSmall() throws {
        let golden = try TransformerFixture("small_activations", model: "model_small_bf16")
        let velocity = try withoutGradients { try golden.model(golden.input) }
        try expectClose(velocity, golden.tensor("out.sample"), "small activations")
    }

    @Test func takesLongInputsInPiecesWithTheSameResult() throws {
        let golden = try TransformerFixture("f1_odd")
        let velocity = try withoutGradients {
            try golden.model(golden.input, Execution(chunkSize: 16))
        }
        try expectClose(velocity, golden.tensor("out.sample"), "f1_odd in pieces of 16")
    }

    @Test func givesTheStagesOfTheReference() throws {
        let golden = try TransformerFixture("f1_odd")
        try withoutGradients {
            let model = golden.model
            let start = try model.embed(golden.input)
            try expectClose(start.x, golden.tensor("stage.packed_tokens"), "tokens")
            try expectClose(start.rotaryRows(), golden.tensor("stage.rotary"), "rotary")
            try expectClose(start.conditions.temb, golden.tensor("stage.temb"), "temb")
            let vision = try golden.tensor("stage.vision_tokens")
            let text = try golden.tensor("stage.refined_text")
            let length = start.context.dim(1) - vision.dim(1)
            try expectClose(
                start.context, .cat([vision, text.narrow(1, 0, length)], axis: 1), "context")

            let first = try model.run(blocks: 0..<1, on: start)
            try expectClose(first.x, golden.tensor("stage.double0_video"), "first block, video")
            try expectClose(first.context, golden.tensor("stage.double0_text"), "its text")
            let last = try model.run(blocks: 1..<model.blockCount, on: first)
            try expectClose(last.x, golden.tensor("stage.single_last_video"), "last block, video")
            try expectClose(last.context, golden.tensor("stage.single_last_text"), "its text")
            try expectClose(model.head(last), golden.tensor("out.sample"), "head")
        }
    }

    @Test func errsInBFloat16NoMoreThanTheReference() throws {
        let golden = try TransformerFixture("f1_odd", dtype: .bfloat16)
        let exact = try golden.tensor("out.sample")
        let reference = try (golden.tensor("alt.sample_bf16") - exact).norm().item()
        let velocity = try withoutGradients {
            try golden.model(
                golden.input, Execution(dtype: .bfloat16, roundsConditions: true))
        }
        let error = try (velocity - exact).norm().item()
        print("    bf16: error \(error), the reference's \(reference)")
        #expect(velocity.dtype == .float32)
        #expect(error <= 1.1 * reference)
    }

    @Test func roundingConditionsChangesTheResultAsRoundedInputsDo() throws {
        let golden = try TransformerFixture("even_b1", in: "goldens/transformer")
        try withoutGradients {
            var input = try golden.input
            input.timestep = try Tensor([Float(937.5)])
            input.guidance = try Tensor([Float(10000)])
            let rounded = try golden.model(input, Execution(roundsConditions: true))
            let plain = try golden.model(input)
            input.timestep = try Tensor([Float(936)])
            input.guidance = try Tensor([Float(9984)])
            try expectClose(rounded, golden.model(input), "rounded conditions")
            #expect(try (rounded - plain).abs().max().item() > 1e-2)
        }
    }
}
