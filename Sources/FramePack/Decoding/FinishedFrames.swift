extension SectionPlan {
    /// The sections after which something is decoded, in the order of generation.
    package var decodings: [Section] { sections.filter { !$0.decodedLatents.isEmpty } }

    /// The sections that are decoded right before and right after one.
    func neighbours(of section: Section) -> (before: Section?, after: Section?) {
        (
            sections[..<section.number].last { !$0.decodedLatents.isEmpty },
            sections[(section.number + 1)...].first { !$0.decodedLatents.isEmpty }
        )
    }

    /// The frames of the whole video that decoding after a section gives; none where nothing is
    /// decoded.
    ///
    /// The first latent of a piece gives one frame, wherever it stands.
    public func decodedFrames(after section: Section) -> Range<Int> {
        let latents = section.decodedLatents
        guard !latents.isEmpty else { return 0..<0 }
        let end = VideoLength.frameCount(latents: latents.upperBound)
        return (end - VideoLength.frameCount(latents: latents.count))..<end
    }

    /// The frames that no later section changes any more once a section is joined, before anything
    /// is cut: they lie between the joins with the neighbour before and the one to come.
    public func finishedFrames(after section: Section) -> Range<Int> {
        let frames = decodedFrames(after: section)
        guard !frames.isEmpty else { return frames }
        let (before, after) = neighbours(of: section)
        let overlap = VideoLength.frameCount(latents: window)
        if order.finishesForward {
            let begin =
                before.map { decodedFrames(after: $0).upperBound - overlap } ?? frames.lowerBound
            return begin..<(after == nil ? frames.upperBound : frames.upperBound - overlap)
        }
        let end = before.map { decodedFrames(after: $0).lowerBound + overlap } ?? frames.upperBound
        return (after == nil ? frames.lowerBound : frames.lowerBound + overlap)..<end
    }
}
