import Models
import TestSupport
import Testing
import Torch
import TorchNN

private struct Stop: Error {}

@Suite struct TransformerStageTests {
    /// TeaCache's estimate of the output's change from its input's, highest power first.
    private static let polynomial = [733.226126, -401.131952, 67.5869174, -3.149878, 0.0961237896]

    /// TeaCache as the reference runs it, around the stages of the model.
    private func runTeaCache(_ fixture: TransformerFixture, threshold: Double) throws -> (
        samples: Tensor, computed: [Int64], sums: [Double]
    ) {
        let model = fixture.model
        let (latents, times) = (
            try fixture.tensor("in.hidden_states"), try fixture.tensor("in.timestep")
        )
        var (signal, residual): (Tensor?, Tensor?) = (nil, nil)
        var (sum, sums, computed, samples) = (0.0, [Double](), [Int64](), [Tensor]())
        for step in 0..<latents.dim(0) {
            var inputs = fixture.inputs
            inputs["hidden_states"] = try latents.select(0, step)
            inputs["timestep"] = try times.select(0, step)
            var streams = try model.embed(TransformerInput(named: inputs, for: model.config))
            let current = try model.stepCacheSignal(streams)
            if let signal {
                let change =
                    try (current - signal).abs().mean().item() / signal.abs().mean().item()
                sum += Self.polynomial.reduce(0) { $0 * change + $1 }
            }
            signal = current
            let runs = step == 0 || step == latents.dim(0) - 1 || sum >= threshold
            if runs {
                let start = streams.x
                streams = try model.run(blocks: 0..<model.blockCount, on: streams)
                residual = try streams.x - start
                sum = 0
            } else if let residual {
                streams.x = try streams.x + residual
            }
            computed.append(runs ? 1 : 0)
            sums.append(sum)
            samples.append(try model.head(streams))
        }
        return (try .stack(samples, axis: 0), computed, sums)
    }

    @Test(arguments: [0.05, 0.1, 0.15, 0.3])
    func letsTeaCacheDecideAsTheReferenceDoes(threshold: Double) throws {
        let fixture = try TransformerFixture("teacache")
        let tag = "threshold_\(threshold)"
        let result = try withoutGradients { try runTeaCache(fixture, threshold: threshold) }
        #expect(try result.computed == fixture.tensor("out.computed.\(tag)").array(Int64.self))
        try expectClose(
            Tensor(result.sums).to(.float32), fixture.tensor("stage.accumulated.\(tag)"),
            "accumulated, \(tag)")
        try expectClose(result.samples, fixture.tensor("out.sample.\(tag)"), tag)
    }

    @Test func blocksRunInAnyRangesWithTheSameResult() throws {
        let golden = try TransformerFixture("even_b1", in: "goldens/transformer")
        let model = golden.model
        try withoutGradients {
            var streams = try model.embed(golden.input)
            for block in 0..<model.blockCount {
                streams = try model.run(blocks: block..<block + 1, on: streams)
            }
            try expectClose(model.head(streams), golden.tensor("out.sample"), "block by block")
        }
    }

    @Test func whatOnProgressThrowsEndsThePass() throws {
        let golden = try TransformerFixture("f1_odd")
        let input = try golden.input
        func calls(chunkSize: Int, stopAt: Int = .max) throws -> Int {
            var count = 0
            let execution = Execution(chunkSize: chunkSize) {
                count += 1
                if count == stopAt { throw Stop() }
            }
            _ = try withoutGradients { try golden.model(input, execution) }
            return count
        }
        let (few, many) = (try calls(chunkSize: 2048), try calls(chunkSize: 16))
        #expect(few > golden.model.blockCount)
        #expect(many > 4 * few)
        #expect(throws: Stop.self) { try calls(chunkSize: 2048, stopAt: 3) }
        #expect(throws: Stop.self) { try calls(chunkSize: 16, stopAt: many) }
    }
}
