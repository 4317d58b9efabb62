import FramePack
import Models
import Testing
import Torch

/// Latents are let go as soon as nothing of the plan asks for them any more.
@Suite struct HistoryRetentionTests {
    private func plan(_ order: SamplingOrder, sections: Int, window: Int = 3) throws -> SectionPlan
    {
        try SectionPlan(
            order: order,
            length: .frames(VideoLength.frameCount(latents: sections * window + 1)),
            window: window, timeline: PromptTimeline("a"))
    }

    /// Latents whose value is their number in the video.
    private func latents(of section: Section) throws -> Tensor {
        let numbers = section.pieces.flatMap { $0.latents.map(Float.init) }
        return try Tensor(numbers, [1, 1, numbers.count, 1, 1]).expand([1, 16, numbers.count, 2, 2])
    }

    @Test(arguments: SamplingOrder.allCases)
    func everySectionSeesTheSameAsWithAllLatents(order: SamplingOrder) throws {
        for window in [1, 3, 9] {
            let plan = try plan(order, sections: 9, window: window)
            let start = try Tensor.zeros([1, 16, 1, 2, 2])
            var all = LatentHistory(start: start, plan: plan)
            var kept = LatentHistory(start: start, plan: plan, retention: .whileSeenOrDecoded)
            var seen = LatentHistory(start: start, plan: plan, retention: .whileSeen)
            var before: Section?
            for section in plan.sections {
                let wanted = try groups(all, section)
                #expect(try groups(kept, section) == wanted)
                #expect(try groups(seen, section) == wanted)
                let new = try latents(of: section)
                try all.add(new, of: section)
                try kept.add(new, of: section)
                try seen.add(new, of: section)
                guard !section.decodedLatents.isEmpty else { continue }
                // A resumed run decodes the section before once more.
                for section in [before, section].compactMap({ $0 }) {
                    let range = section.decodedLatents
                    #expect(
                        try kept.latents(range).array(Float.self)
                            == all.latents(range).array(Float.self))
                }
                before = section
            }
        }
    }

    private func groups(_ history: LatentHistory, _ section: Section) throws -> [[Float]] {
        try history.context(of: section).packed.groups.map {
            try $0.frames.latents.array(Float.self)
        }
    }

    @Test(arguments: [SamplingOrder.f1, .inverted, .vanilla])
    func aLongVideoKeepsNoMoreThanAShortOne(order: SamplingOrder) throws {
        func most(_ sections: Int) throws -> Int {
            let plan = try plan(order, sections: sections, window: 9)
            var history = LatentHistory(
                start: try .zeros([1, 16, 1, 2, 2]), plan: plan, retention: .whileSeenOrDecoded)
            var most = 0
            for section in plan.sections {
                try history.add(latents(of: section), of: section)
                most = max(most, history.pieceCount)
            }
            return most
        }
        let short = try most(8)
        #expect(short <= 4)
        #expect(try most(60) == short)
    }

    @Test func aRankingByLikenessKeepsEverything() throws {
        let plan = try plan(.f1, sections: 6)
        var history = LatentHistory(
            start: try .zeros([1, 16, 1, 2, 2]), plan: plan, order: .similarity,
            retention: .whileSeenOrDecoded)
        for section in plan.sections { try history.add(latents(of: section), of: section) }
        #expect(history.pieceCount == 6)
    }
}
