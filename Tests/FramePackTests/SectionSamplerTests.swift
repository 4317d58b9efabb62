import FramePack
import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// A network that gives what it is told.
private struct ToyDenoiser: Denoiser {
    let answer: (Tensor, Float) throws -> Tensor

    func velocity(_ x: Tensor, sigma: Float, context: SectionContext, prompt: Conditioning) throws
        -> Tensor
    { try answer(x, sigma) }
}

@Suite struct SectionSamplerTests {
    private func sample(
        steps: Int = 4, answer: @escaping (Tensor, Float) throws -> Tensor,
        onStep: (StepReport) throws -> Void = { _ in }
    ) throws -> Tensor {
        let schedule = FlowSchedule(tokenCount: 96, stepCount: steps)
        let prompt = Conditioning(
            promptEmbeds: try .zeros([1, 1, 1]), pooled: try .zeros([1, 1]))
        return try SectionSampler(
            { _ in SamplerChoice.euler.sampler(schedule) }, guidance: Guidance(), dtype: .float32
        ) { _ in ToyDenoiser(answer: answer) }.sample(
            section: 2, noise: .ones([1, 16, 1, 2, 2]),
            context: SectionContext(indices: .shared([1])), prompt: prompt, negative: nil,
            onStep: onStep)
    }

    @Test(arguments: [Double.nan, .infinity]) func notFiniteIsAnError(value: Double) throws {
        #expect(throws: FramePackError.notFinite(section: 3, step: 2)) {
            try sample { x, sigma in sigma == 1 ? try x.zerosLike() : try x * value }
        }
    }

    @Test func onStepEndsTheSampling() throws {
        var steps = 0
        #expect(throws: FramePackError.cancelled) {
            try sample { x, _ in
                x
            } onStep: { report in
                steps += 1
                #expect(report.stepCount == 4)
                if report.step == 1 { throw FramePackError.cancelled }
            }
        }
        #expect(steps == 2)
    }

    /// The flow to a constant is a straight line, which Euler follows exactly.
    @Test func straightFlowEndsAtItsData() throws {
        let result = try sample { x, sigma in try (x - 0.25) / Double(sigma) }
        try expectClose(result, .full([1, 16, 1, 2, 2], 0.25), absolute: 1e-6)
    }

    @Test func historyPacksStartNeighboursAndZeros() throws {
        let plan = try SectionPlan(
            order: .inverted, length: .frames(9), window: 1, timeline: PromptTimeline("a"))
        func latent(_ value: Double) throws -> Tensor { try .full([1, 16, 1, 2, 2], value) }
        var history = LatentHistory(start: try latent(9), plan: plan)
        let first = try history.context(of: plan.sections[0])
        #expect(try values(first.packed.clean) == [9, 0])
        #expect(try values(first.packed.clean4x) == Array(repeating: 0, count: 16))
        try history.add(latent(5), of: plan.sections[0])
        let second = try history.context(of: plan.sections[1])
        #expect(try values(second.packed.clean) == [9, 5])
        #expect(try values(second.packed.clean2x) == [0, 0])
        #expect(second.packed.clean?.indices == .shared(plan.sections[1].context[0].indices))
        #expect(try history.latents(2..<3).array(Float.self).first == 5)
        #expect(throws: FramePackError.self) { try history.latents(1..<2) }
    }

    private func values(_ frames: ContextFrames?) throws -> [Float] {
        try #require(frames).latents.select(1, 0).select(2, 0).select(2, 0).array(Float.self)
    }

    /// Two sections in four steps with two prompts: eight rows, whatever the number of sections.
    @Test func modulationsAreComputedOnceForAllSections() throws {
        let transformer = try Transformer(folder: tinyModel().folder(of: .transformer))
        let config = transformer.config
        let counters = transformer.linears.filter { $0.name.contains("norm") }
            .map { ($0.name, CountingAdapter($0.layer)) }
        try transformer.attach(AdapterSet("counters", counters.map { ($0, $1) }))
        let denoiser = TransformerDenoiser(
            transformer, execution: Execution(memory: RunMemory()), distilledScale: 1)
        let sampler = SectionSampler(
            { SamplerChoice.unipc.sampler(FlowSchedule(tokenCount: 4 * $0, stepCount: 4)) },
            guidance: Guidance(trueScale: 2), dtype: .float32
        ) { denoiser.during($0) }
        let generator = try Generator(seed: 3)
        func prompt() throws -> Conditioning {
            Conditioning(
                promptEmbeds: try .randn([1, 3, config.textSize], generator: generator),
                pooled: try .randn([1, config.pooledSize], generator: generator))
        }
        let (positive, negative) = (try prompt(), try prompt())
        for section in 0..<2 {
            _ = try withoutGradients {
                try sampler.sample(
                    section: section, noise: .randn([1, 16, 2, 4, 4], generator: generator),
                    context: SectionContext(indices: .shared([section, section + 1])),
                    prompt: positive, negative: negative)
            }
            #expect(counters.allSatisfy { $0.1.calls == 8 })
        }
        #expect(counters.count > 2)
    }

    @Test func resumedNoiseIsTheSame() throws {
        let size = FrameSize(height: 32, width: 32)
        let plan = try SectionPlan(
            order: .antiDrifting, length: .frames(33), window: 2, timeline: PromptTimeline("a"))
        let whole = try SectionNoise(seed: 1, plan: plan, size: size)
        let resumed = try SectionNoise(seed: 1, plan: plan, size: size)
        _ = try whole.picture()
        _ = try whole.section(0)
        _ = try whole.section(1)
        let wanted = try whole.section(2)
        let found = try resumed.section(2)
        #expect(try found.array(Float.self) == wanted.array(Float.self))
    }

    @Test func templateHeadIsCountedWithoutTheEnd() throws {
        #expect(PromptTemplate.filled("x").hasSuffix("\n\nx<|eot_id|>"))
        #expect(PromptTemplate.head.utf8.count == 500)
    }
}
