import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct RunMemoryTests {
    private static let steps: [Float] = [1000, 817.5, 433.25]
    private let small: SmallTransformer
    private let prompts: [Conditioning]

    init() throws {
        small = try SmallTransformer()
        prompts = [try SmallTransformer.prompt(11), try SmallTransformer.prompt(12, lengths: [6])]
    }

    private func execution(_ memory: RunMemory?, _ dtype: DType = .float32) -> Execution {
        Execution(
            dtype: dtype, roundsConditions: dtype == .bfloat16, memory: memory,
            timesteps: memory == nil ? [] : Self.steps)
    }

    /// The velocities of some sections, each in all steps with all prompts.
    private func velocities(_ sections: [UInt64], _ execution: Execution) throws -> [Tensor] {
        try withoutGradients {
            try sections.flatMap { section in
                let inputs = try prompts.map { try SmallTransformer.section(section, $0) }
                return try Self.steps.flatMap { step in
                    try inputs.map { input in
                        var input = try SmallTransformer.step(input, [step])
                        // Both branches of true guidance see the same history.
                        input.context = inputs[0].context
                        return try small.model(input, execution)
                    }
                }
            }
        }
    }

    private func expectSame(_ found: [Tensor], _ wanted: [Tensor]) throws {
        #expect(found.count == wanted.count)
        for (found, wanted) in zip(found, wanted) {
            #expect(try found.array(Float.self) == wanted.array(Float.self))
        }
    }

    @Test(arguments: [DType.float32, .bfloat16]) func changesNoBit(dtype: DType) throws {
        let memory = RunMemory()
        let plain = try velocities([1, 2, 3], execution(nil, dtype))
        let found = try velocities([1, 2, 3], execution(memory, dtype))
        try expectSame(found, plain)
        #expect(memory.byteCount > 0)
        // Different steps, prompts and sections do give different velocities.
        let sums = try Set(plain.map { try $0.to(.float64).sum().item() })
        #expect(sums.count == plain.count)
    }

    @Test func modulationsAreComputedOnceForEachStepAndPrompt() throws {
        let layers = small.model.linears.filter { $0.name.contains("norm") }
        // Two of each double block, one of each single one, the gates of the text, the last norm.
        #expect(layers.count == 2 * 2 + 2 + 1 + 1)
        let counters = layers.map { ($0.name, CountingAdapter($0.layer)) }
        try small.model.attach(AdapterSet("counters", counters.map { ($0, $1) }))
        let memory = RunMemory()
        for section in UInt64(1)...3 {
            _ = try velocities([section], execution(memory))
            for (name, counter) in counters {
                #expect(counter.calls == Self.steps.count * prompts.count, "\(name)")
            }
        }
    }

    @Test func weightsOfModulationsAreNeededInTheFirstStepAlone() throws {
        let plain = try velocities([1, 2], execution(nil))
        let absence = Absence(small.store)
        let found = try velocities([1, 2], execution(RunMemory()))
        try expectSame(found, plain)
        // Four blocks with two prompts.
        let whole = absence.selections.filter { $0 == .all }
        #expect(whole.count == 4 * prompts.count)
        #expect(absence.selections.count == 4 * plain.count)
        let asked = absence.selections.first { $0 != .all }
        #expect(
            asked
                == .without([
                    "transformer_blocks.0.norm1.linear.",
                    "transformer_blocks.0.norm1_context.linear.",
                ]))
    }

    @Test func strengthsOfAdaptersAreTakenIntoAccount() throws {
        let name = "single_transformer_blocks.1.norm.linear"
        let layer = try #require(small.model.linears.first { $0.name == name }).layer
        let counter = CountingAdapter(layer)
        let set = AdapterSet("set", [(name, counter)])
        try small.model.attach(set)
        let memory = RunMemory()
        var calls: [Int] = []
        for strength in [1, 0.5, 1, 0] {
            set.strength = strength
            let plain = try velocities([4], execution(nil))
            let before = counter.calls
            try expectSame(velocities([4], execution(memory)), plain)
            calls.append(counter.calls - before)
        }
        // The table of strength 1 is there still; at 0 the adapter isn't asked.
        #expect(calls == [6, 6, 0, 0])
        small.model.detach(set)
        try expectSame(velocities([4], execution(memory)), velocities([4], execution(nil)))
    }

    @Test func tensorsThatChangeInPlaceAreSeen() throws {
        let memory = RunMemory()
        let input = try SmallTransformer.section(1, prompts[0])
        try withoutGradients {
            _ = try small.model(input, execution(memory))
            try input.conditioning.pooled.multiplyInPlace(-2)
            try input.conditioning.imageEmbeds?.multiplyInPlace(0.5)
            try input.context.clean?.latents.multiplyInPlace(3)
            try expectSame([small.model(input, execution(memory))], [small.model(input)])
        }
    }

    @Test func batchesWithTimestepsOfTheirOwnAreToldApart() throws {
        let memory = RunMemory()
        let input = try SmallTransformer.section(
            1, SmallTransformer.prompt(13, lengths: [6, 3]))
        try withoutGradients {
            for timesteps in [[900, 100], [900, 900], [100, 900], [900, 100]] as [[Float]] {
                let step = try SmallTransformer.step(input, timesteps)
                try expectSame([small.model(step, execution(memory))], [small.model(step)])
            }
        }
    }

    @Test func limitIsKeptAndChangesNoBit() throws {
        let plain = try velocities([1, 2, 3], execution(nil))
        let whole = RunMemory()
        _ = try velocities([1, 2, 3], execution(whole))
        for limit in [0, 1000, whole.byteCount / 4, whole.byteCount / 2, whole.byteCount] {
            let memory = RunMemory(limit: limit)
            for section in 1...3 {
                let found = try velocities([UInt64(section)], execution(memory))
                try expectSame(found, Array(plain[(section - 1) * 6..<section * 6]))
                #expect(memory.byteCount <= limit)
            }
        }
    }

    @Test func anUnusedPromptMakesRoomForANewOne() throws {
        let layer = try #require(small.model.linears.first { $0.name.contains("norm1.") })
        let counter = CountingAdapter(layer.layer)
        try small.model.attach(AdapterSet("counter", [(layer.name, counter)]))
        func sample(_ section: UInt64, _ prompt: Conditioning, _ memory: RunMemory) throws -> Int {
            let before = counter.calls
            let input = try SmallTransformer.section(section, prompt)
            for step in Self.steps {
                let input = try SmallTransformer.step(input, [step])
                try withoutGradients { _ = try small.model(input, execution(memory)) }
            }
            return counter.calls - before
        }
        let roomy = RunMemory()
        _ = try sample(1, prompts[1], roomy)
        let memory = RunMemory(limit: roomy.byteCount)
        #expect(try sample(1, prompts[0], memory) == 3)
        #expect(try sample(2, prompts[1], memory) == 3)
        #expect(try sample(3, prompts[1], memory) == 0)
        #expect(try sample(4, prompts[0], memory) == 3)
        #expect(memory.byteCount <= memory.limit)
    }

    @Test func gradientsPassItOver() throws {
        try small.store.setRequiresGradient(true)
        let memory = RunMemory()
        let input = try SmallTransformer.section(1, prompts[0])
        let velocity = try small.model(input, execution(memory))
        try velocity.square().mean().backward()
        #expect(memory.byteCount == 0)
        let modulation = try #require(
            small.store["transformer_blocks.0.norm1.linear.weight"])
        let gradient = try #require(try modulation.value.gradient())
        #expect(try gradient.abs().max().item() > 0)
    }

    @Test func anotherNetworkBeginsAnew() throws {
        let memory = RunMemory()
        let other = try SmallTransformer(seed: 77)
        let input = try SmallTransformer.section(1, prompts[0])
        try withoutGradients {
            for model in [small.model, other.model, small.model] {
                try expectSame([model(input, execution(memory))], [model(input)])
            }
        }
    }
}
