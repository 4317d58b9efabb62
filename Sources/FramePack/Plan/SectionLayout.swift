/// Lays the sections of a video out in a sampling order.
struct SectionLayout {
    let order: SamplingOrder
    let window, sectionCount: Int
    let packing: Packing
    let hasEndImage: Bool
    let timeline: PromptTimeline
    let framesPerSecond: Int
    /// The places that are generated first in planned order.
    let endpoints: [Int]
    /// The prompts of planned places that have one of their own.
    let endpointPrompts: [Int: Int]

    /// The sections in the order of their generation.
    func sections() -> [Section] {
        var state = Progress(finishesForward: order.finishesForward, sectionCount: sectionCount)
        return steps.enumerated().map { number, places in
            let context = context(of: places, number: number, made: state.made)
            state.made.formUnion(places)
            let (old, new) = state.advance()
            return section(number, places, context, decoding: new, after: old)
        }
    }

    /// Which places are generated at a time.
    private var steps: [[Int]] {
        let all = Array(0..<sectionCount)
        switch order {
        case .vanilla, .f1: return all.map { [$0] }
        case .inverted: return all.reversed().map { [$0] }
        case .antiDrifting:
            guard let last = all.last, last > 0 else { return [[0]] }
            // One call has one prompt.
            let ends = promptNumber(of: 0) == promptNumber(of: last) ? [[0, last]] : [[0], [last]]
            return ends + all.dropFirst().dropLast().map { [$0] }
        case .planned:
            return (endpoints + all.filter { !endpoints.contains($0) }).map { [$0] }
        }
    }

    // MARK: - Context

    private func context(of places: [Int], number: Int, made: Set<Int>)
        -> SectionContextLayout.Result
    {
        SectionContextLayout(
            targets: places.map(latents), packing: packing, window: window,
            lastLatent: sectionCount * window, hasEndImage: hasEndImage,
            exists: { made.contains(($0 - 1) / window) },
            blankWindows: {
                SectionPlan.blankWindows($0, isFirst: number == 0, sectionCount: sectionCount)
            }
        ).result()
    }

    /// The latents of a place.
    private func latents(at place: Int) -> Range<Int> {
        (place * window + 1)..<((place + 1) * window + 1)
    }

    /// The frames of a place, without the start's.
    private func frames(at place: Int) -> Range<Int> {
        let count = VideoLength.framesPerLatent * window
        return (count * place + 1)..<(count * (place + 1) + 1)
    }

    private func promptNumber(of place: Int) -> Int {
        if let own = endpointPrompts[place] { return own }
        let (frames, rate) = (frames(at: place), Double(framesPerSecond))
        return timeline.promptNumber(
            from: Double(frames.lowerBound - 1) / rate, to: Double(frames.upperBound - 1) / rate)
    }

    // MARK: - Decoding

    /// What is generated, and how far frames are finished.
    private struct Progress {
        let finishesForward: Bool
        let sectionCount: Int
        var made: Set<Int> = []
        /// Places whose latents were decoded.
        private var decoded = 0..<0

        init(finishesForward: Bool, sectionCount: Int) {
            (self.finishesForward, self.sectionCount) = (finishesForward, sectionCount)
            decoded = finishesForward ? 0..<0 : sectionCount..<sectionCount
        }

        /// Moves on as far as places follow each other without a gap.
        ///
        /// - Returns: The places that were decoded before, and those that are decoded now.
        mutating func advance() -> (old: Range<Int>, new: Range<Int>) {
            let old = decoded
            if finishesForward {
                var end = old.upperBound
                while end < sectionCount, made.contains(end) { end += 1 }
                decoded = 0..<end
                return (old, old.upperBound..<end)
            }
            var begin = old.lowerBound
            while begin > 0, made.contains(begin - 1) { begin -= 1 }
            decoded = begin..<sectionCount
            return (old, begin..<old.lowerBound)
        }
    }

    private func section(
        _ number: Int, _ places: [Int], _ context: SectionContextLayout.Result,
        decoding new: Range<Int>, after old: Range<Int>
    ) -> Section {
        let pieces = places.map { place in
            let own = frames(at: place)
            return SectionPiece(
                place: place, latents: latents(at: place),
                frames: place == 0 ? 0..<own.upperBound : own)
        }
        return Section(
            number: number, pieces: pieces, padding: order.seesLater ? context.padding : nil,
            targetIndices: context.targetIndices, context: context.groups,
            decodedLatents: decodedLatents(new, after: old), newFrames: newFrames(new),
            overlapFrames: old.isEmpty || new.isEmpty ? 0 : VideoLength.frameCount(latents: window),
            promptNumber: promptNumber(of: places[0]))
    }

    private func newFrames(_ places: Range<Int>) -> Range<Int> {
        guard let last = places.last else { return 0..<0 }
        let begin = frames(at: places.lowerBound).lowerBound
        return (places.lowerBound == 0 ? 0 : begin)..<frames(at: last).upperBound
    }

    /// The new places and the neighbour that was decoded before, with the start latent where it was
    /// just put in front.
    private func decodedLatents(_ new: Range<Int>, after old: Range<Int>) -> Range<Int> {
        guard !new.isEmpty else { return 0..<0 }
        var places = new
        if !old.isEmpty {
            places =
                order.finishesForward
                ? (new.lowerBound - 1)..<new.upperBound : new.lowerBound..<(new.upperBound + 1)
        }
        let begin = latents(at: places.lowerBound).lowerBound
        return
            (places.lowerBound == 0 && new.lowerBound == 0 ? 0 : begin)..<latents(
                at: places.upperBound - 1
            ).upperBound
    }
}
