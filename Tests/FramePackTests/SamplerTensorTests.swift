import Foundation
import FramePack
import TestSupport
import Testing
import Torch

@Suite struct SamplerTensorTests {
    /// The sampler, function and schedule that a stored tensor's name stands for.
    private func parts(_ name: String) throws -> (SamplerChoice, ClosedForm, FlowSchedule) {
        let match = try #require(
            name.wholeMatch(
                of: /([a-z_0-9]+)\.([a-z]+)_steps(\d+)_tokens(\d+)(?:_shift([\d.]+?))?\.\w+/))
        let samplers: [String: SamplerChoice] = [
            "unipc_bh1": .unipc, "unipc_bh2": .unipcBH2, "euler": .euler,
        ]
        return (
            try #require(samplers[String(match.1)]),
            try #require(ClosedForm(rawValue: String(match.2))),
            FlowSchedule(
                tokenCount: try #require(Int(match.4)), stepCount: try #require(Int(match.3)),
                shift: match.5.flatMap { Double($0) })
        )
    }

    @Test(arguments: ["trajectories_a", "trajectories_b"])
    func trajectoriesAreTheReferences(file: String) throws {
        let tensors = try Fixtures.tensors("schedulers/\(file).safetensors")
        let noise = try #require(tensors["in.noise"])
        var count = 0
        for name in tensors.keys.sorted() where name.hasSuffix(".result") {
            let (sampler, function, schedule) = try parts(name)
            let outputs = try SampleProbe.run(
                noise: noise, sampler: sampler, schedule: schedule, function: function)
            let stem = name.dropLast("result".count)
            for (key, tensor) in outputs {
                try expectClose(
                    tensor, #require(tensors[stem + key]), absolute: 5e-6, relative: 5e-6,
                    "\(stem)\(key)")
            }
            count += 1
        }
        #expect(count > 10)
    }

    @Test func latentsAreRoundedBeforeTheNetworkSeesThem() throws {
        let noise = try Tensor([0.3333, -1.777] as [Float], [2])
        var seen: [DType] = []
        let result = try SamplerChoice.unipc.sampler(FlowSchedule(tokenCount: 96, stepCount: 1))
            .sample(noise, dtype: .bfloat16) { x, _ in
                seen.append(x.dtype)
                return try x.zerosLike()
            } onStep: { _ in
            }
        #expect(seen == [.bfloat16])
        #expect(try result.array(Float.self) == noise.to(.bfloat16).array(Float.self))
    }

    @Test func guidanceLeadsAwayFromTheNegative() throws {
        let positive = try Tensor([1, 2, 3, 4] as [Float], [1, 4])
        let negative = try Tensor([0, 2, 1, 5] as [Float], [1, 4])
        let plain = try Guidance(trueScale: 2).combined(positive: positive, negative: negative)
        #expect(try plain.array(Float.self) == [2, 2, 5, 3])
        let full = try Guidance(trueScale: 2, rescale: 1).combined(
            positive: positive, negative: negative)
        try expectClose(
            full.standardDeviation([1]), positive.standardDeviation([1]), absolute: 1e-6)
        #expect(!Guidance().needsNegative)
    }
}
