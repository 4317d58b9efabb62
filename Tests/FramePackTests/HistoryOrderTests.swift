import Foundation
import FramePack
import Models
import Testing
import Torch

/// Histories of latents that are told apart by their direction in two channels.
@Suite struct HistoryOrderTests {
    private func history(
        _ angles: [Double], order: HistoryOrder, timeWeight: Double = 1,
        codebook: HistoryCodebook? = nil
    ) throws -> (context: SectionContext, plan: SectionPlan) {
        let packing = try Packing(name: "td_f2k2f1k1_g1")
        let plan = try SectionPlan(
            order: .vanilla, length: .frames(4 * angles.count + 1), window: 1, packing: packing,
            timeline: PromptTimeline("a"))
        func latent(_ angle: Double) throws -> Tensor {
            let pair = try Tensor(
                [Float(angle.cosine), Float(angle.sine)], [1, 2, 1, 1, 1])
            return try .cat([pair.expand([1, 2, 1, 2, 2]), .zeros([1, 14, 1, 2, 2])], axis: 1)
        }
        var history = LatentHistory(
            start: try latent(angles[0]), plan: plan, order: order, timeWeight: timeWeight,
            codebook: codebook)
        for (section, angle) in zip(plan.sections, angles.dropFirst()) {
            try history.add(latent(angle), of: section)
        }
        return (try history.context(of: plan.sections[angles.count - 1]), plan)
    }

    private func angles(_ frames: ContextFrames?) throws -> [Int] {
        let values = try #require(frames).latents.select(0, 0).select(2, 0).select(2, 0)
        let (x, y) = (
            try values.select(0, 0).array(Float.self), try values.select(0, 1).array(Float.self)
        )
        return zip(x, y).map {
            Int((Double($1).arcTangent(over: Double($0)) * 180 / .pi).rounded())
        }
    }

    /// Latents at 0, 80, 40, 90 and 85 degrees; the newest, which is next to come, is at 85.
    private let turns = [0, 80, 40, 90, 85].map { $0 * Double.pi / 180 }

    @Test func timeOrderTakesTheNewest() throws {
        let (context, _) = try history(turns, order: .time)
        #expect(try angles(context.packed.clean) == [85])
        #expect(try angles(context.packed.clean2x) == [40, 90])
    }

    @Test func similarityTakesTheLikest() throws {
        let (context, plan) = try history(turns, order: .similarity)
        #expect(try angles(context.packed.clean) == [85])
        // 80 and 90 are 5 degrees off, 40 is 45: the older of both comes first in time.
        #expect(try angles(context.packed.clean2x) == [80, 90])
        guard case .shared(let far)? = context.packed.clean2x?.indices,
            case .shared(let near)? = context.packed.clean?.indices,
            case .shared(let target) = context.indices
        else {
            Issue.record("indices are not shared")
            return
        }
        // One window is left out between them, and the section stands behind the newest.
        #expect(far == [near[0] - 3, near[0] - 1] && target == [near[0] + 1])
        #expect(plan.sections.count == 5)
    }

    @Test(
        "No two latents have one index, whatever is left out or missing",
        arguments: [
            ("td_f16k4f2k2f1k1_g4", SamplingOrder.planned), ("td_f16k4f2k2f1k1_g4", .vanilla),
            ("f1k1_x_f16k4f2k2f1k1_g4", .f1), ("f1k1_x_g4_f1k1f4k2f16k4_td", .inverted),
            ("f1k1_x_g4_f1k1f4k2f16k4_x_f1k1", .inverted),
            ("td_f16k4f4k2f1k1_g4_x_f1k1", .antiDrifting),
        ])
    func indicesAreUnique(name: String, order: SamplingOrder) throws {
        for endpoints in order == .planned ? [[0.9, 2.5], []] : [[]] {
            let plan = try SectionPlan(
                order: order, length: .frames(4 * 4 * 6 + 1), window: 4,
                packing: Packing(name: name),
                endpoints: endpoints.map { PlannedEndpoint(seconds: $0) },
                timeline: PromptTimeline("a"))
            let random = try Generator(seed: 1)
            var history = LatentHistory(
                start: try .randn([1, 16, 1, 2, 2], generator: random), plan: plan,
                order: .similarity)
            for section in plan.sections {
                let context = try history.context(of: section)
                let groups = context.packed.groups.map(\.frames.indices) + [context.indices]
                let indices = groups.flatMap { group -> [Int] in
                    guard case .shared(let indices) = group else { return [] }
                    return indices
                }
                #expect(Set(indices).count == indices.count, "\(section.number): \(indices)")
                try history.add(
                    .randn([1, 16, section.latentCount, 2, 2], generator: random), of: section)
            }
        }
    }

    @Test func aDistantHistoryLiesAsFarAwayAsInAPlan() throws {
        // Place 2 exists, place 5 is next: two windows between them are left out.
        let plan = try SectionPlan(
            order: .planned, length: .frames(4 * 9 * 6 + 1),
            packing: Packing(name: "td_f16k4f2k2f1k1_g9"),
            endpoints: [3.0, 7.0].map { PlannedEndpoint(seconds: $0) },
            timeline: PromptTimeline("a"))
        let contexts = try [HistoryOrder.time, .similarity].map { order in
            var history = LatentHistory(
                start: try .ones([1, 16, 1, 2, 2]), plan: plan, order: order)
            try history.add(.ones([1, 16, 9, 2, 2]), of: plan.sections[0])
            return try history.context(of: plan.sections[1])
        }
        // All latents are alike, so that the nearest in time come first here too.
        #expect(contexts[0].packed.clean?.indices == contexts[1].packed.clean?.indices)
        #expect(contexts[0].packed.clean2x?.indices == contexts[1].packed.clean2x?.indices)
    }

    @Test func timeOutweighsLikenessInHybridOrder() throws {
        let (near, _) = try history(turns, order: .hybrid, timeWeight: 1000)
        #expect(try angles(near.packed.clean2x) == [40, 90])
        let (like, _) = try history(turns, order: .hybrid, timeWeight: 0)
        #expect(try angles(like.packed.clean2x) == [80, 90])
    }

    @Test func aDiscreteHistoryIsOfTheCodebook() throws {
        var entry = [Float](repeating: 0, count: 32)
        (entry[0], entry[17]) = (1, 1)
        let codebook = try HistoryCodebook(entries: Tensor(entry, [2, 16]))
        let (context, _) = try history(turns, order: .time, codebook: codebook)
        #expect(try angles(context.packed.clean) == [90])
        #expect(try angles(context.packed.clean2x) == [0, 90])
    }
}

extension Double {
    fileprivate var cosine: Double { cos(self) }
    fileprivate var sine: Double { sin(self) }
    fileprivate func arcTangent(over x: Double) -> Double { atan2(self, x) }
}
