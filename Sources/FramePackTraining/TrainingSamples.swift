package import FramePack
package import Models
package import Torch
import ToyWorld

/// Which section of which clip a sample shows, and what is hidden from it.
struct SampleChoice {
    let shard: Int
    let row: Int
    let caption: String
    /// The plan that the section is of.
    let plan: SectionPlan
    var section: Section
    let isStartDropped: Bool
    /// Whether its history is discrete.
    let isDiscrete: Bool
    /// Which latents of its history get the finest kernels.
    var historyOrder = HistoryOrder.time
}

extension [HistoryOrder] {
    /// One of them; the order of time where there are none.
    ///
    /// A single one takes no number of the generator.
    func drawn(_ random: inout SplitMix64) -> HistoryOrder {
        count > 1 ? self[Int.random(in: indices, using: &random)] : first ?? .time
    }
}

/// Draws samples from a cache of clips.
struct SampleChooser {
    /// The share of samples without a caption, and of those without a start picture.
    static let dropShare = 0.1

    private let shards: [ClipCache.Shard]
    private let clips: WorldClips
    private let layouts: LayoutChooser
    private let historyOrders: [HistoryOrder]

    init(_ shards: [ClipCache.Shard], _ clips: WorldClips, _ config: TransformerTrainingConfig)
        throws
    {
        (self.shards, self.clips) = (shards, clips)
        historyOrders = config.historyOrders
        layouts = try LayoutChooser(
            config.layouts, latents: shards.map { $0.latents.dim(2) }.max() ?? 10,
            firstShare: config.firstShare)
    }

    /// What samples share that go through the network together.
    struct Shared {
        let shard: Int
        let plan: SectionPlan
        let section: Section
        let isDiscrete: Bool
    }

    /// Draws a shard, a layout, and a section that its clips are long enough for.
    ///
    /// - Throws: `TrainingError` for clips that are too short for every layout.
    func chooseShared(_ random: inout SplitMix64) throws -> Shared {
        let shard = Int.random(in: 0..<shards.count, using: &random)
        let (plan, section) = try layouts.choose(latents: shards[shard].latents.dim(2), &random)
        return Shared(
            shard: shard, plan: plan, section: section, isDiscrete: plan.packing.isDiscrete)
    }

    /// Draws a clip and what is hidden of it.
    func choose(_ shared: Shared, _ random: inout SplitMix64) -> SampleChoice {
        let shard = shared.shard
        let row = Int.random(in: 0..<trainedRows(shards[shard]), using: &random)
        let scene = clips.scene(shards[shard].numbers[row])
        let caption = scene.caption(variant: Int.random(in: 0..<64, using: &random))
        let isCaptionDropped = Double.random(in: 0..<1, using: &random) < Self.dropShare
        let isStartDropped = Double.random(in: 0..<1, using: &random) < Self.dropShare
        return SampleChoice(
            shard: shard, row: row, caption: isCaptionDropped ? "" : caption, plan: shared.plan,
            section: shared.section, isStartDropped: isStartDropped,
            isDiscrete: shared.isDiscrete, historyOrder: historyOrders.drawn(&random))
    }

    /// The last clips of each shard are kept out, if it has enough.
    private func trainedRows(_ shard: ClipCache.Shard) -> Int {
        let count = shard.numbers.count
        return count > 4 * Self.keptRows ? count - Self.keptRows : count
    }

    /// How many clips of a shard are kept out of training.
    private static let keptRows = 3

    /// First generated sections of clips that are kept out and go straight at first, with
    /// their captions and with those that name the opposite direction.
    func kept(_ order: SamplingOrder, count: Int) -> [(truth: SampleChoice, opposite: SampleChoice)]
    {
        var pairs: [(SampleChoice, SampleChoice)] = []
        for (number, shard) in shards.enumerated() {
            let length = (shard.latents.dim(2) - 1) / 9
            guard
                let plan = try? SectionPlan(
                    order: order, length: .frames(36 * min(length, 2) + 1),
                    timeline: PromptTimeline("video")),
                let section = plan.sections.first
            else { continue }
            for row in trainedRows(shard)..<shard.numbers.count {
                let scene = clips.scene(shard.numbers[row])
                guard let opposite = scene.reversed else { continue }
                func choice(_ scene: Scene) -> SampleChoice {
                    SampleChoice(
                        shard: number, row: row, caption: scene.caption(variant: 0), plan: plan,
                        section: section, isStartDropped: false, isDiscrete: false)
                }
                pairs.append((choice(scene), choice(opposite)))
            }
        }
        return Array(pairs.prefix(count))
    }
}

/// Where the latents of a sample's sections and context come from.
package struct SampleLatents {
    /// The clip's latents, one frame of zeros, and the plain picture's: `(C, F + 2, h, w)`.
    private let frames: Tensor
    private let count: Int
    private let isStartDropped: Bool

    /// Takes a clip's latents `(C, F, h, w)` and the plain picture's `(C, 1, h, w)`.
    package init(_ clip: Tensor, plain: Tensor, isStartDropped: Bool) throws {
        count = clip.dim(1)
        self.isStartDropped = isStartDropped
        let wide = try clip.to(.float32)
        frames = try .cat([wide, wide.narrow(1, 0, 1).zerosLike(), plain], axis: 1)
    }

    /// A section as it sees its history in an order, once the sections before it are there.
    ///
    /// - Parameters:
    ///   - plan: The plan that the section is of.
    ///   - timeWeight: How much nearness in time counts in hybrid order.
    package func section(
        _ section: Section, of plan: SectionPlan, historyOrder: HistoryOrder, timeWeight: Double
    ) throws -> Section {
        try plan.section(section, historyOrder: historyOrder, timeWeight: timeWeight) { number in
            try frames.narrow(1, number == 0 ? start : number, 1).unsqueeze(0)
        }
    }

    /// Where the start latent stands among the frames.
    private var start: Int { isStartDropped ? count + 1 : 0 }

    /// The latents that a section generates, `(C, F, h, w)`.
    package func target(_ section: Section) throws -> Tensor {
        try .cat(
            section.pieces.map {
                try frames.narrow(1, $0.latents.lowerBound, $0.latents.count)
            }, axis: 1)
    }

    /// The latents of a context group, `(C, n, h, w)`, and where each was generated, `(1, n, 1, 1)`.
    func group(_ group: ContextGroup, _ codebook: HistoryCodebook?) throws -> (
        latents: Tensor, isGenerated: Tensor
    ) {
        let numbers = group.sources.map { source -> Int in
            switch source {
            case .start: start
            case .generated(let number): number
            case .end, .zeros: count
            }
        }
        let generated = group.sources.map { source -> Float in
            if case .generated = source { 1 } else { 0 }
        }
        var latents = try frames.indexSelect(1, Tensor(numbers.map(Int64.init)))
        if let codebook {
            let flags = zip(group.sources, group.roles).map { source, role -> Float in
                source == .zeros || role == .anchor ? 0 : 1
            }
            let isHistory = try Tensor(flags, [1, flags.count, 1, 1])
            let discrete = try codebook.nearest(to: latents.unsqueeze(0)).squeeze(0)
            latents = try latents + (discrete - latents) * isHistory
        }
        return (latents, try Tensor(generated, [1, generated.count, 1, 1]))
    }

    /// The packed context of several sections of one layout, one a sample, noise mixed into what was
    /// generated.
    ///
    /// - Parameters:
    ///   - noise: How much noise each sample's generated latents get, in the latents' units; none
    ///     goes to a discrete history.
    ///   - codebook: What makes the history discrete; nil leaves it as it is.
    ///   - generators: Where each sample's noise comes from; each group draws once.
    package static func context(
        _ sections: [Section], _ sources: [SampleLatents], noise: [Float],
        codebook: HistoryCodebook? = nil, generators: [Generator], on device: Device = .cpu
    ) throws -> PackedContext {
        let amount = try Tensor(noise, [noise.count, 1, 1, 1, 1])
        func frames(_ index: Int) throws -> ContextFrames {
            let groups = try zip(sections, sources).map { section, source in
                try source.group(section.context[index], codebook)
            }
            let latents = try Tensor.stack(groups.map(\.latents), axis: 0)
            let generated = try Tensor.stack(groups.map(\.isGenerated), axis: 0)
            let noise = try Tensor.stack(
                generators.map {
                    try Tensor.randn(Array(latents.shape.dropFirst()), generator: $0)
                }, axis: 0)
            let corrupted =
                codebook == nil ? try latents + noise * generated * amount : latents
            return ContextFrames(
                try corrupted.to(device), .perSample(sections.map { $0.context[index].indices }))
        }
        return PackedContext(
            try (sections.first?.context ?? []).enumerated().map { index, group in
                PackedGroup(group.kernel, averaging: group.averaging, try frames(index))
            })
    }
}

extension Scene {
    /// The scene with the only object's straight motion turned around; nil if it has no such motion.
    fileprivate var reversed: Scene? {
        guard actors.count == 1, let direction = actors[0].motion.direction else { return nil }
        let opposites: [Direction: Direction] = [
            .left: .right, .right: .left, .up: .down, .down: .up,
        ]
        guard let opposite = opposites[direction] else { return nil }
        let motion = actors[0].motion
        guard Direction.choices(for: motion.kind).contains(opposite) else { return nil }
        var scene = self
        scene.actors[0].motion = Motion(motion.kind, opposite, motion.speed)
        return scene
    }
}
