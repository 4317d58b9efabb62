/// Lays the sections of a video out in either order.
struct SectionLayout {
    let window, sectionCount: Int
    let packing: PackingSchedule
    let hasEndImage: Bool
    let timeline: PromptTimeline
    let framesPerSecond: Int

    /// From the last section to the first.
    ///
    /// Rotary indices are start | blank | target | history from near to far.
    func inverted() -> [Section] {
        let paddings = SectionPlan.paddings(sectionCount: sectionCount)
        return paddings.enumerated().map { number, padding in
            let place = sectionCount - 1 - number
            let firstTarget = startLength + padding * window
            let latents = latents(at: place)
            return section(
                number: number, place: place, padding: padding,
                available: (place == 0 ? 0 : latents.lowerBound)..<(lastLatent + 1),
                firstTarget: firstTarget,
                context: context(
                    firstIndex: firstTarget + window, direction: 1,
                    source: { distance in source(latents.upperBound + distance) }))
        }
    }

    /// From the first section to the last.
    ///
    /// Rotary indices are start | history from far to near | target.
    func forward() -> [Section] {
        let firstTarget = startLength + packing.historyLength
        return (0..<sectionCount).map { place in
            let latents = latents(at: place)
            return section(
                number: place, place: place, padding: nil,
                available: 0..<latents.upperBound,
                firstTarget: firstTarget,
                context: context(
                    firstIndex: firstTarget - 1, direction: -1,
                    source: { distance in source(latents.lowerBound - 1 - distance) }))
        }
    }

    /// Rotary indices that the start latent takes.
    private var startLength: Int { 1 }
    private var lastLatent: Int { sectionCount * window }

    private func latents(at place: Int) -> Range<Int> {
        (place * window + 1)..<((place + 1) * window + 1)
    }

    private func source(_ latent: Int) -> LatentSource {
        switch latent {
        case 0: .start
        case 1...lastLatent: .generated(latent)
        case lastLatent + 1 where hasEndImage: .end
        default: .zeros
        }
    }

    /// The groups of a context, with the start latent ahead of those of its kernel.
    ///
    /// - Parameters:
    ///   - firstIndex: The rotary index of the latent nearest to the target.
    ///   - direction: 1 where history lies after the target, -1 where before.
    ///   - source: The history's latent at a distance from the target, 0 being the nearest.
    private func context(firstIndex: Int, direction: Int, source: (Int) -> LatentSource)
        -> [ContextGroup]
    {
        var groups: [ContextGroup] = []
        var distance = 0
        for level in packing.levels {
            let distances = Array(distance..<(distance + level.latentCount))
            // Groups are fed in time order, whichever side of the target they lie on.
            let inTime = direction > 0 ? distances : distances.reversed()
            groups.append(
                ContextGroup(
                    kernel: level.kernel, sources: inTime.map(source),
                    indices: inTime.map { firstIndex + direction * $0 }))
            distance += level.latentCount
        }
        guard let startKernel = packing.startKernel else { return groups }
        if let first = groups.first, first.kernel == startKernel {
            groups[0] = ContextGroup(
                kernel: startKernel, sources: [.start] + first.sources,
                indices: [0] + first.indices)
        } else {
            groups.insert(
                ContextGroup(kernel: startKernel, sources: [.start], indices: [0]), at: 0)
        }
        return groups
    }

    private func section(
        number: Int, place: Int, padding: Int?, available: Range<Int>, firstTarget: Int,
        context: [ContextGroup]
    ) -> Section {
        let latents = latents(at: place)
        let perLatent = VideoLength.framesPerLatent
        let frames = (perLatent * place * window + 1)..<(perLatent * (place + 1) * window + 1)
        let (start, end) = (Double(frames.lowerBound - 1), Double(frames.upperBound - 1))
        let rate = Double(framesPerSecond)
        return Section(
            number: number, place: place, padding: padding, latents: latents,
            frames: place == 0 ? 0..<frames.upperBound : frames,
            available: available,
            targetIndices: Array(firstTarget..<(firstTarget + window)),
            context: context,
            decodedLatents: decoded(number: number, available: available, forward: padding == nil),
            overlapFrames: number == 0 ? 0 : VideoLength.frameCount(latents: window),
            promptNumber: timeline.promptNumber(from: start / rate, to: end / rate))
    }

    /// What is decoded after a section: everything after the first one, then the newest 2W latents,
    /// and the start latent where it was just put in front.
    private func decoded(number: Int, available: Range<Int>, forward: Bool) -> Range<Int> {
        guard number > 0 else { return available }
        if forward { return (available.upperBound - 2 * window)..<available.upperBound }
        let startLatent = available.lowerBound == 0 ? 1 : 0
        let end = available.lowerBound + 2 * window + startLatent
        return available.lowerBound..<end
    }
}
