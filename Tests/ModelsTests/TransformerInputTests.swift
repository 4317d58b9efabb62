import Models
import TestSupport
import Testing
import Torch

@Suite struct TransformerInputTests {
    private func message(_ name: String, _ change: (Tensor) throws -> Tensor?) throws -> String {
        let golden = try TransformerFixture("batch2")
        var inputs = golden.inputs
        inputs[name] = try change(golden.tensor("in.\(name)"))
        let error = #expect(throws: ModelError.self) {
            try golden.model(TransformerInput(named: inputs, for: golden.model.config))
        }
        return error?.description ?? ""
    }

    @Test(arguments: [
        "hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask",
        "pooled_projections", "image_embeds", "guidance", "indices_latents", "latents_clean",
        "indices_latents_clean", "latents_history_2x", "indices_latents_history_2x",
        "latents_history_4x", "indices_latents_history_4x",
    ])
    func aTensorThatIsMissingOrMisshapenIsNamed(_ name: String) throws {
        #expect(TransformerInput.tensorNames.contains(name))
        #expect(try message(name) { _ in nil }.contains(name))
        #expect(try message(name) { try $0.unsqueeze(0) }.contains(name))
        let last = try message(name) { try .cat([$0, $0], axis: -1) }
        // A wider section makes its history too narrow: any of the two may be named.
        #expect(last.contains(name) || name == "hidden_states" && last.contains("latents_clean"))
        if name != "hidden_states", !name.hasPrefix("indices") {
            #expect(try message(name) { try .cat([$0, $0], axis: 0) }.contains(name))
        }
    }

    @Test func oddHeightsAndWidthsAreNamed() throws {
        #expect(try message("hidden_states") { try $0.narrow(3, 0, 9) }.contains("height 9"))
        #expect(try message("hidden_states") { try $0.narrow(4, 0, 5) }.contains("width 5"))
    }

    @Test func aMaskMustBeOnesFollowedByZeros() throws {
        func text(_ rows: [Float]) throws -> String {
            try message("encoder_attention_mask") { _ in
                try Tensor(rows + Array(repeating: 1, count: 12), [2, 12])
            }
        }
        let holes: [Float] = [1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0]
        #expect(try text(holes).contains("encoder_attention_mask, sample 0"))
        #expect(try text(holes.map { $0 * 0.5 }).contains("encoder_attention_mask, sample 0"))
        let empty = try text(Array(repeating: 0, count: 12))
        #expect(empty.contains("encoder_attention_mask, sample 0: 0 text tokens"))
    }

    @Test func masksOfAnyTypeGiveTheLengths() throws {
        for dtype in [DType.bool, .uint8, .int64, .float32, .bfloat16] {
            let mask = try Tensor([Float(1), 1, 0, 1, 0, 0], [2, 3]).to(dtype)
            #expect(try Conditioning.textLengths(mask: mask) == [2, 1])
        }
    }

    @Test func indicesOfEachSampleMustBeOneAFrame() throws {
        let golden = try TransformerFixture("batch2")
        for rows in [[[1, 2]], [[1, 2], [1]], [[1], [2]]] {
            var input = try golden.input
            input.indices = .perSample(rows)
            let error = #expect(throws: ModelError.self) { try golden.model(input) }
            #expect(error?.description.contains("indices_latents") == true)
        }
    }
}
