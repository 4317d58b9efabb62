import Foundation
package import Torch

/// Which latents of the history are the most important ones, and get the finest kernels.
///
/// Source: arXiv 2504.12626v3, section on feature similarity.
public enum HistoryOrder: String, Codable, Sendable, CaseIterable {
    /// Those nearest in time.
    case time
    /// Those that look most like what comes next.
    case similarity
    /// Both: cosine similarity plus nearness in time.
    case hybrid
}

/// Ranks latents of a history by their likeness to the next section.
///
/// The next section is not known yet; its nearest neighbour in time that exists stands for it.
/// Source: arXiv 2504.12626v3: sim_cos, sim_time and their weighted sum. Differs from the paper,
/// which leaves the estimate of the next section open.
struct HistoryRanking {
    private let order: HistoryOrder
    /// λ of the hybrid order: how much nearness in time counts.
    private let timeWeight: Double
    private let secondsPerLatent: Double
    private let window: Int
    private let sectionCount: Int

    /// A ranking of the latents of a plan; nil for the order of time, in which plans are made.
    init?(_ order: HistoryOrder, timeWeight: Double, of plan: SectionPlan) {
        guard order != .time else { return nil }
        (self.order, self.timeWeight) = (order, timeWeight)
        secondsPerLatent = Double(VideoLength.framesPerLatent) / Double(plan.framesPerSecond)
        (window, sectionCount) = (plan.window, plan.windowCount)
    }

    /// What a section sees, its history in the order of importance.
    ///
    /// - Parameters:
    ///   - places: The windows of the video that exist.
    ///   - latent: The existing latent of a number, `(1, C, 1, h, w)`; 0 is the start latent.
    func context(
        of section: Section, places: some Sequence<Int>, latent: (Int) throws -> Tensor
    ) throws -> [ContextGroup] {
        let (first, last) = (section.pieces[0], section.pieces[section.pieces.count - 1])
        let isBefore = section.hasHistoryBefore
        let existing =
            ([0] + places.flatMap { ($0 * window + 1)...(($0 + 1) * window) })
            .filter { isBefore ? $0 < first.latents.lowerBound : $0 >= last.latents.upperBound }
        let edge = isBefore ? first.latents.lowerBound : last.latents.upperBound - 1
        guard let nearest = existing.min(by: { abs($0 - edge) < abs($1 - edge) }) else {
            return section.context
        }
        let estimate = try latent(nearest)
        let ranks = try existing.map { number in
            let distance = abs(number - edge)
            return (
                number, -(try score(latent(number), estimate: estimate, distance: distance)),
                distance
            )
        }
        let ranked = ranks.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
        return section.context(ranking: ranked, window: window) {
            SectionPlan.blankWindows(
                $0, isFirst: section.number == 0, sectionCount: sectionCount)
        }
    }

    /// How important a latent is.
    ///
    /// - Parameters:
    ///   - latent: `(1, C, 1, h, w)`.
    ///   - estimate: What stands for the next section, `(1, C, 1, h, w)`.
    ///   - distance: How many latents lie from one to the other.
    private func score(_ latent: Tensor, estimate: Tensor, distance: Int) throws -> Double {
        let likeness = try Self.cosineSimilarity(latent, estimate)
        guard order == .hybrid else { return likeness }
        let seconds = Double(distance) * secondsPerLatent
        return likeness + timeWeight * exp(-seconds * seconds)
    }

    /// The mean over pixels of the cosine between their channels, in [-1, 1].
    ///
    /// The paper's sum over pixels, divided by their number, so that λ means the same in any size.
    private static func cosineSimilarity(_ a: Tensor, _ b: Tensor) throws -> Double {
        let product = try (a * b).sum([1])
        let lengths = try a.square().sum([1]).sqrt() * b.square().sum([1]).sqrt()
        return try (product / (lengths + 1e-12)).mean().item()
    }
}

extension SectionPlan {
    /// A section as it sees its history in an order, once the sections before it are there.
    ///
    /// - Parameters:
    ///   - section: One of this plan's.
    ///   - timeWeight: How much nearness in time counts in hybrid order.
    ///   - latent: The latent of a number, `(1, C, 1, h, w)`; 0 is the start latent.
    package func section(
        _ section: Section, historyOrder: HistoryOrder, timeWeight: Double,
        latent: (Int) throws -> Tensor
    ) throws -> Section {
        guard let ranking = HistoryRanking(historyOrder, timeWeight: timeWeight, of: self) else {
            return section
        }
        let places = sections.prefix(section.number).flatMap(\.pieces).map(\.place)
        var ranked = section
        ranked.context = try ranking.context(of: section, places: places, latent: latent)
        return ranked
    }
}

extension Section {
    /// Whether its history lies before it in time.
    fileprivate var hasHistoryBefore: Bool {
        context.contains { group in
            zip(group.roles, group.indices).contains {
                $0 == .history && $1 < (targetIndices.first ?? 0)
            }
        }
    }

    /// The context with other latents in the places of the history, the most important first.
    ///
    /// Levels keep their kernels and counts. Latents keep their order in time within a level, and
    /// their rotary indices tell how far they lie away, blank windows being counted as in a plan.
    ///
    /// - Parameters:
    ///   - ranked: Numbers of latents on the history's side, the most important first.
    ///   - window: Latents of a window.
    ///   - blankWindows: The blank windows that stand for so many that are left out.
    fileprivate func context(
        ranking ranked: [Int], window: Int, blankWindows: (Int) -> Int
    ) -> [ContextGroup] {
        let slots = historySlots
        guard let nearest = slots.first, let target = targetIndices.first, !ranked.isEmpty else {
            return context
        }
        let isBefore = nearest.index < target
        let chosen = Array(ranked.prefix(slots.count))
        let (indices, beyond) = indices(of: chosen, isBefore: isBefore, window, blankWindows)
        var groups = context.map { group in
            Array(zip(group.sources, zip(group.roles, group.indices)))
        }
        for (level, places) in Dictionary(grouping: slots.enumerated(), by: \.element.group) {
            let filled = places.filter { $0.offset < chosen.count }
            let numbers = filled.map { chosen[$0.offset] }.sorted()
            let positions = filled.map(\.element.position).sorted()
            for (position, number) in zip(positions, numbers) {
                groups[level][position] = (
                    number == 0 ? .start : .generated(number), (.history, indices[number] ?? 0)
                )
            }
            // Places that nothing exists for yet lie beyond all that does.
            for place in places where place.offset >= chosen.count {
                let away = place.offset - chosen.count
                groups[level][place.element.position].1.1 = beyond + (isBefore ? -away : away)
            }
        }
        return withAnchorsOutside(groups, isBefore: isBefore)
    }

    /// A place of the history in the context's groups.
    private struct HistorySlot {
        let group, position, index: Int
    }

    /// The places of the history, the nearest to the section first.
    private var historySlots: [HistorySlot] {
        let target = targetIndices.first ?? 0
        return context.enumerated().flatMap { group, members in
            members.roles.indices.filter { members.roles[$0] == .history }.map {
                HistorySlot(group: group, position: $0, index: members.indices[$0])
            }
        }.sorted { abs($0.index - target) < abs($1.index - target) }
    }

    /// The rotary indices of latents, and that of the place after the farthest one.
    private func indices(
        of latents: [Int], isBefore: Bool, _ window: Int, _ blankWindows: (Int) -> Int
    ) -> (indices: [Int: Int], beyond: Int) {
        let outward = isBefore ? latents.sorted(by: >) : latents.sorted()
        let step = isBefore ? -1 : 1
        var indices: [Int: Int] = [:]
        var index = ((isBefore ? targetIndices.first : targetIndices.last) ?? 0) + step
        var before =
            isBefore ? pieces[0].latents.lowerBound : (pieces.last?.latents.upperBound ?? 0) - 1
        for latent in outward {
            let missing = abs(latent - before) - 1
            index += step * blankWindows((missing + window - 1) / window) * window
            indices[latent] = index
            index += step
            before = latent
        }
        return (indices, index)
    }

    /// Groups with the anchors that lie beyond the history moved out as far as it now reaches, so
    /// that no two latents have one index.
    private func withAnchorsOutside(
        _ groups: [[(LatentSource, (ContextRole, Int))]], isBefore: Bool
    ) -> [ContextGroup] {
        let places = groups.joined().filter { $0.1.0 == .history }.map(\.1.1)
        let old = historySlots.map(\.index)
        let (was, reaches) =
            isBefore ? (old.min() ?? 0, places.min() ?? 0) : (old.max() ?? 0, places.max() ?? 0)
        func moved(_ index: Int) -> Int {
            if isBefore { return index < was ? index + min(reaches - was, 0) : index }
            return index > was ? index + max(reaches - was, 0) : index
        }
        return zip(context, groups).map { old, members in
            ContextGroup(
                kernel: old.kernel, averaging: old.averaging, sources: members.map(\.0),
                roles: members.map(\.1.0),
                indices: members.map { $1.0 == .history ? $1.1 : moved($1.1) })
        }
    }
}
