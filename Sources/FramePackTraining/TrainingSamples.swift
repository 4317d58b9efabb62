package import FramePack
package import Models
package import Torch
import ToyWorld

/// Which section of which clip a sample shows, and what is hidden from it.
struct SampleChoice {
    let shard: Int
    let row: Int
    let caption: String
    let section: Section
    let isStartDropped: Bool
}

/// Draws samples from a cache of clips.
struct SampleChooser {
    /// The share of samples without a caption, and of those without a start picture.
    static let dropShare = 0.1

    private let shards: [ClipCache.Shard]
    private let clips: WorldClips
    private let plans: [SamplingOrder: [SectionPlan]]
    private let invertedShare, firstShare: Double

    init(_ shards: [ClipCache.Shard], _ clips: WorldClips, _ config: TransformerTrainingConfig)
        throws
    {
        self.shards = shards
        self.clips = clips
        (invertedShare, firstShare) = (config.invertedShare, config.firstShare)
        let longest = shards.map { ($0.latents.dim(2) - 1) / 9 }.max() ?? 1
        plans = try Dictionary(
            uniqueKeysWithValues: SamplingOrder.allCases.map { order in
                (
                    order,
                    try (1...longest).map { count in
                        try SectionPlan(
                            order: order, length: .frames(36 * count + 1),
                            timeline: PromptTimeline("video"))
                    }
                )
            })
    }

    func choose(_ random: inout SplitMix64) -> SampleChoice {
        let shard = Int.random(in: 0..<shards.count, using: &random)
        let row = Int.random(in: 0..<trainedRows(shards[shard]), using: &random)
        let scene = clips.scene(shards[shard].numbers[row])
        let caption = scene.caption(variant: Int.random(in: 0..<64, using: &random))
        let isCaptionDropped = Double.random(in: 0..<1, using: &random) < Self.dropShare
        let isStartDropped = Double.random(in: 0..<1, using: &random) < Self.dropShare
        return SampleChoice(
            shard: shard, row: row, caption: isCaptionDropped ? "" : caption,
            section: section((shards[shard].latents.dim(2) - 1) / 9, &random),
            isStartDropped: isStartDropped)
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
            guard let section = plans[order]?[min(length, 2) - 1].sections.first else { continue }
            for row in trainedRows(shard)..<shard.numbers.count {
                let scene = clips.scene(shard.numbers[row])
                guard let opposite = scene.reversed else { continue }
                func choice(_ scene: Scene) -> SampleChoice {
                    SampleChoice(
                        shard: number, row: row, caption: scene.caption(variant: 0),
                        section: section, isStartDropped: false)
                }
                pairs.append((choice(scene), choice(opposite)))
            }
        }
        return Array(pairs.prefix(count))
    }

    private func section(_ longest: Int, _ random: inout SplitMix64) -> Section {
        let isInverted = Double.random(in: 0..<1, using: &random) < invertedShare
        let order = isInverted ? SamplingOrder.inverted : .f1
        let count = Int.random(in: 1...longest, using: &random)
        let sections = plans[order]?[count - 1].sections ?? []
        // A plan has a section at least.
        if Double.random(in: 0..<1, using: &random) < firstShare { return sections[0] }
        return sections.randomElement(using: &random) ?? sections[0]
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

    /// The latents that a section generates, `(C, F, h, w)`.
    package func target(_ section: Section) throws -> Tensor {
        try frames.narrow(1, section.latents.lowerBound, section.latents.count)
    }

    /// The latents of a context group, `(C, n, h, w)`, and where each was generated, `(1, n, 1, 1)`.
    func group(_ group: ContextGroup) throws -> (latents: Tensor, isGenerated: Tensor) {
        let numbers = group.sources.map { source -> Int in
            switch source {
            case .start: isStartDropped ? count + 1 : 0
            case .generated(let number): number
            case .end, .zeros: count
            }
        }
        let generated = group.sources.map { source -> Float in
            if case .generated = source { 1 } else { 0 }
        }
        return (
            try frames.indexSelect(1, Tensor(numbers.map(Int64.init))),
            try Tensor(generated, [1, generated.count, 1, 1])
        )
    }

    /// The packed context of several sections, one a sample, noise mixed into what was generated.
    ///
    /// - Parameters:
    ///   - noise: How much noise each sample's generated latents get, in the latents' units.
    ///   - part: Which samples of a step they are; nil for all.
    ///   - generator: Where noise comes from; each group draws once.
    package static func context(
        _ sections: [Section], _ sources: [SampleLatents], noise: [Float], part: BatchPart? = nil,
        generator: Generator, on device: Device = .cpu
    ) throws -> PackedContext {
        let part = part ?? BatchPart(rows: 0..<sections.count, count: sections.count)
        let amount = try Tensor(noise, [noise.count, 1, 1, 1, 1])
        func frames(_ index: Int) throws -> ContextFrames {
            let groups = try zip(sections, sources).map { try $1.group($0.context[index]) }
            let latents = try Tensor.stack(groups.map(\.latents), axis: 0)
            let generated = try Tensor.stack(groups.map(\.isGenerated), axis: 0)
            let noise = try part.noise(like: latents, generator: generator)
            return ContextFrames(
                try (latents + noise * generated * amount).to(device),
                .perSample(sections.map { $0.context[index].indices }))
        }
        return PackedContext(
            clean: try frames(0), clean2x: try frames(1), clean4x: try frames(2))
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
