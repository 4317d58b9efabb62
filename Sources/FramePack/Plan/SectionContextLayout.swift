import Models

/// Lays out what one section sees: which latents go through which kernel, at which rotary index.
struct SectionContextLayout {
    /// The pieces in time order.
    let targets: [Range<Int>]
    let packing: Packing
    let window: Int
    /// The number of the last latent of the video.
    let lastLatent: Int
    let hasEndImage: Bool
    /// Whether a latent of the video exists already.
    let exists: (Int) -> Bool
    /// Blank windows that stand for so many windows that are left out.
    let blankWindows: (Int) -> Int

    /// What was laid out.
    struct Result {
        let targetIndices: [Int]
        let groups: [ContextGroup]
        /// Blank windows before, between and after the targets, the most of them.
        let padding: Int
    }

    func result() -> Result {
        let (first, last) = (targets[0], targets[targets.count - 1])
        let before = slots(packing.before, from: first.lowerBound - 1, step: -1)
        let after = slots(packing.after, from: last.upperBound, step: 1)
        let firstTarget = -(before.map(\.offset).min() ?? 0)
        let between =
            targets.count > 1 ? blankWindows((last.lowerBound - first.upperBound) / window) : 0
        let target = targets.enumerated().flatMap { number, piece in
            piece.map {
                firstTarget + $0 - piece.lowerBound + number * (first.count + between * window)
            }
        }
        let end = (target.last ?? 0)
        let context =
            before.map { $0.at(firstTarget + $0.offset) } + after.map { $0.at(end + $0.offset) }
        let gaps = [before, after].map { side in
            (abs(side.first(where: \.isNearest)?.offset ?? 1) - 1) / window
        }
        return Result(
            targetIndices: target, groups: groups(context), padding: max(between, gaps.max() ?? 0))
    }

    // MARK: - One side

    /// A latent of the context, by its distance from the target.
    private struct Slot {
        let level: Int
        let kernel: PatchKernel
        let role: ContextRole
        var averaging: TailAveraging?
        let source: LatentSource
        /// Its rotary index relative to the nearest latent of the target.
        let offset: Int
        var isNearest = false
        var index = 0

        func at(_ index: Int) -> Slot {
            var slot = self
            slot.index = index
            return slot
        }
    }

    /// Goes along one side outward, and tells how far it has come.
    private struct Walk {
        var latent: Int
        var offset: Int
    }

    /// What is seen on one side, from the target outward.
    ///
    /// - Parameters:
    ///   - from: The latent beside the target.
    ///   - step: -1 before the target, 1 after it.
    private func slots(_ side: Packing.Side, from: Int, step: Int) -> [Slot] {
        var slots: [Slot] = []
        var walk = Walk(latent: from, offset: step)
        skipMissing(&walk, step)
        var runs: [(levels: [PackingLevel], role: ContextRole)] = []
        if !side.history.isEmpty { runs.append((side.history, .history)) }
        runs += side.anchors.map { ($0, .anchor) }
        for (number, run) in runs.enumerated() {
            if number > 0 { place(&walk, run: number, of: runs.map(\.levels), step) }
            guard run.role == .history || exists(run.levels, at: walk.latent, step) else {
                continue
            }
            for level in run.levels {
                let id = (slots.last?.level ?? -1) + 1
                for _ in 0..<level.latentCount {
                    if run.role == .history { skipMissing(&walk, step) }
                    slots.append(
                        Slot(
                            level: id, kernel: level.kernel, role: run.role,
                            source: source(walk.latent), offset: walk.offset,
                            isNearest: slots.isEmpty))
                    walk.latent += step
                    walk.offset += step
                }
            }
            if run.role == .history || side.history.isEmpty && number == 0 {
                slots += tail(side, after: slots, &walk, step, anchors: side.anchors)
            }
        }
        return slots
    }

    /// Latents older than all levels, where the packing keeps them.
    private func tail(
        _ side: Packing.Side, after slots: [Slot], _ walk: inout Walk, _ step: Int,
        anchors: [[PackingLevel]]
    ) -> [Slot] {
        guard let averaging = side.tail?.averaging, let last = slots.last else { return [] }
        // What the outermost anchor shows is not shown again.
        let anchored = side.history.isEmpty ? 0 : latentCount(anchors.last ?? [])
        let bound = step < 0 ? anchored : endOfVideo - anchored
        var tail: [Slot] = []
        while step < 0 ? walk.latent >= bound : walk.latent <= bound {
            if isThere(walk.latent) {
                tail.append(
                    Slot(
                        level: last.level + 1, kernel: last.kernel, role: .tail,
                        averaging: averaging, source: source(walk.latent), offset: walk.offset))
                walk.offset += step
            }
            walk.latent += step
        }
        return tail
    }

    /// Moves on to where an anchor stands that has history or another anchor before it: the
    /// outermost at the video's end on that side, those between midway.
    private func place(
        _ walk: inout Walk, run number: Int, of runs: [[PackingLevel]], _ step: Int
    ) {
        let count = latentCount(runs[number])
        let outermost = step < 0 ? count - 1 : endOfVideo - count + 1
        let isOutermost = number == runs.count - 1
        walk.latent = isOutermost ? outermost : (walk.latent + outermost) / 2
    }

    /// Passes over latents that do not exist yet, if any that exists lies beyond them.
    ///
    /// Blank indices stand for what is passed over.
    private func skipMissing(_ walk: inout Walk, _ step: Int) {
        let range = step < 0 ? 0...max(walk.latent, 0) : min(walk.latent, endOfVideo)...endOfVideo
        guard range.contains(walk.latent), !isThere(walk.latent),
            let found = step < 0 ? range.last(where: isThere) : range.first(where: isThere)
        else { return }
        let missing = abs(found - walk.latent)
        walk.latent = found
        walk.offset += step * blankWindows((missing + window - 1) / window) * window
    }

    /// The last latent that may exist: the end image's stands beyond the video's last one.
    private var endOfVideo: Int { lastLatent + (hasEndImage ? 1 : 0) }

    private func isThere(_ latent: Int) -> Bool { source(latent) != .zeros }

    private func source(_ latent: Int) -> LatentSource {
        switch latent {
        case 0: .start
        case 1...lastLatent where exists(latent): .generated(latent)
        case lastLatent + 1 where hasEndImage: .end
        default: .zeros
        }
    }

    /// Whether any latent of an anchor exists; one of which none does is not shown.
    private func exists(_ levels: [PackingLevel], at latent: Int, _ step: Int) -> Bool {
        (0..<latentCount(levels)).contains { isThere(latent + $0 * step) }
    }

    private func latentCount(_ levels: [PackingLevel]) -> Int {
        levels.reduce(0) { $0 + $1.latentCount }
    }

    // MARK: - Groups

    /// One group a level, latents in time order, from the finest kernel to the coarsest; levels of
    /// a kernel that takes frames one by one are fed together.
    private func groups(_ slots: [Slot]) -> [ContextGroup] {
        struct Key: Hashable {
            let kernel: PatchKernel
            let role: ContextRole?
            let level: Int
            let isBefore: Bool
        }
        var keys: [Key] = []
        var members: [Key: [Slot]] = [:]
        for slot in slots {
            let isSingle = slot.kernel.frames == 1 && slot.averaging == nil
            let key = Key(
                kernel: slot.kernel, role: isSingle ? nil : slot.role,
                level: isSingle ? 0 : slot.level, isBefore: isSingle || slot.offset < 0)
            if members[key] == nil { keys.append(key) }
            members[key, default: []].append(slot)
        }
        let sorted = keys.enumerated().sorted {
            ($0.element.kernel.volume, $0.offset) < ($1.element.kernel.volume, $1.offset)
        }
        return sorted.compactMap { _, key in
            guard let slots = members[key]?.sorted(by: { $0.index < $1.index }) else { return nil }
            return ContextGroup(
                kernel: key.kernel, averaging: slots[0].averaging,
                sources: slots.map(\.source), roles: slots.map(\.role),
                indices: slots.map(\.index))
        }
    }
}
