import Foundation
import FramePack
import FramePackTraining
import Models
import TestSupport
import Testing
import Torch

@Suite struct TransformerContextTests {
    private func plan(_ order: SamplingOrder, sections: Int) throws -> SectionPlan {
        try SectionPlan(
            order: order, length: .frames(36 * sections + 1), timeline: PromptTimeline("video"))
    }

    private func check(_ a: ContextFrames?, _ b: ContextFrames?, _ name: String) throws {
        let (a, b) = (try #require(a, "\(name)"), try #require(b, "\(name)"))
        #expect(a.latents.shape == b.latents.shape, "\(name)")
        #expect(try a.latents.array(Float.self) == b.latents.array(Float.self), "\(name)")
        guard case .perSample(let rows) = a.indices, case .shared(let row) = b.indices else {
            Issue.record("\(name): \(a.indices), \(b.indices)")
            return
        }
        #expect(rows == [row], "\(name)")
    }

    @Test("Clips that are too short for a packing's section are passed over, or named")
    func clipsAreLongEnough() throws {
        try withTemporaryFolder { folder in
            // One shard has clips of 9 latents after the start, the other of 18.
            let run = try TinyTasks.prepare(folder)
            let task = try TinyTasks.transformer(
                run, batch: 8, packings: ["td_f1k1_g12", "td_f1k1_g9"])
            for step in 0..<3 {
                #expect(try task.loss(step: step, samples: 0..<8).loss.item().isFinite)
            }
            do {
                _ = try TinyTasks.transformer(run, packings: ["td_f1k1_g30"])
                Issue.record("no error")
            } catch let error as TrainingError {
                #expect("\(error)".contains("td_f1k1_g30 generates 30 latents"), "\(error)")
                #expect("\(error)".contains("the longest clip has 18"), "\(error)")
            }
        }
    }

    /// Whatever is generated when, a sample sees what a generation would have packed.
    @Test(arguments: SamplingOrder.allCases, [1, 2, 3, 6])
    func samplesSeeWhatAGenerationPacks(_ order: SamplingOrder, sections: Int) throws {
        for historyOrder in HistoryOrder.allCases {
            try samplesSeeWhatAGenerationPacks(order, sections, historyOrder)
        }
    }

    private func samplesSeeWhatAGenerationPacks(
        _ order: SamplingOrder, _ sections: Int, _ historyOrder: HistoryOrder
    ) throws {
        let count = 9 * sections + 1
        let clip = try Tensor.randn([16, count, 2, 2], generator: Generator(seed: 1))
        let plain = try Tensor.randn([16, 1, 2, 2], generator: Generator(seed: 2))
        let plan = try plan(order, sections: sections)
        for isStartDropped in [false, true] {
            let sample = try SampleLatents(clip, plain: plain, isStartDropped: isStartDropped)
            let start = isStartDropped ? plain : try clip.narrow(1, 0, 1)
            var history = try LatentHistory(
                start: start.unsqueeze(0), plan: plan, order: historyOrder, timeWeight: 0.3)
            for section in plan.sections {
                let wanted = try history.context(of: section).packed
                let seen = try sample.section(
                    section, of: plan, historyOrder: historyOrder, timeWeight: 0.3)
                let actual = try SampleLatents.context(
                    [seen], [sample], noise: [0], generators: [Generator(seed: 3)])
                let name = "\(order), \(historyOrder), section \(section.number)"
                #expect(actual.groups.count == wanted.groups.count)
                for (a, b) in zip(actual.groups, wanted.groups) {
                    #expect(a.kernel == b.kernel && a.averaging == b.averaging)
                    try check(a.frames, b.frames, "\(name), \(a.kernel)")
                }
                let target = try sample.target(section)
                #expect(target.dim(1) == section.targetIndices.count)
                try history.add(target.unsqueeze(0), of: section)
            }
        }
    }

    /// Each sample draws its order of the history, and nothing else of it changes.
    @Test func ordersOfTheHistoryAreDrawn() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            func losses(_ orders: [HistoryOrder], weight: Double = 1) throws -> [Double] {
                let task = try TinyTasks.transformer(run, batch: 4, packings: ["td_f2k2f1k1_g3"]) {
                    ($0.historyOrders, $0.historyTimeWeight) = (orders, weight)
                    ($0.historyNoiseShare, $0.firstShare) = (0, 0)
                }
                // Fresh weights give no velocity at all, so they are trained a little.
                let name = "\(orders.map(\.rawValue))-\(weight)-\(UUID())"
                var losses: [Double] = []
                try TinyTasks.loop(task, folder.appendingPathComponent(name)).run {
                    losses.append($0.loss)
                }
                return losses
            }
            let (time, similar) = (try losses([.time]), try losses([.similarity]))
            #expect(time != similar)
            #expect(try losses([.hybrid], weight: 0) == similar)
            let both = try losses([.time, .similarity])
            #expect(both != time && both != similar)
            #expect(try losses([.time, .similarity]) == both)
        }
    }

    @Test func noiseIsMixedIntoWhatWasGeneratedAlone() throws {
        let clip = try Tensor.randn([16, 19, 2, 2], generator: Generator(seed: 1))
        let plain = try Tensor.zeros([16, 1, 2, 2])
        let sample = try SampleLatents(clip, plain: plain, isStartDropped: false)
        let section = try #require(try plan(.f1, sections: 2).sections.last)
        func context(_ noise: Float) throws -> PackedContext {
            try SampleLatents.context(
                [section], [sample], noise: [noise], generators: [Generator(seed: 3)])
        }
        let (clear, noisy) = (try context(0), try context(0.5))
        for (group, (a, b)) in zip(
            section.context,
            [
                (clear.clean, noisy.clean), (clear.clean2x, noisy.clean2x),
                (clear.clean4x, noisy.clean4x),
            ])
        {
            let difference = try (#require(a).latents - #require(b).latents).abs()
                .max([0, 1, 3, 4]).array(Float.self)
            for (source, value) in zip(group.sources, difference) {
                if case .generated = source {
                    #expect(value > 0.1)
                } else {
                    #expect(value == 0)
                }
            }
        }
    }
}
