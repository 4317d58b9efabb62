extension SectionPlan {
    /// The frames of the whole video that decoding after a section gives.
    ///
    /// The first latent of a piece gives one frame, wherever it stands.
    public func decodedFrames(after section: Section) -> Range<Int> {
        let latents = section.decodedLatents
        let end = VideoLength.frameCount(latents: latents.upperBound)
        return (end - VideoLength.frameCount(latents: latents.count))..<end
    }

    /// The frames that no later section changes any more once a section is joined, before anything
    /// is cut: they lie between the joins with the neighbour before and the one to come.
    public func finishedFrames(after section: Section) -> Range<Int> {
        let frames = decodedFrames(after: section)
        let isLast = section.number == sections.count - 1
        let before = section.number > 0 ? sections[section.number - 1] : nil
        let overlap = VideoLength.frameCount(latents: window)
        switch order {
        case .inverted:
            let end =
                before.map { decodedFrames(after: $0).lowerBound + overlap } ?? frames.upperBound
            return (isLast ? frames.lowerBound : frames.lowerBound + overlap)..<end
        case .f1:
            let begin =
                before.map { decodedFrames(after: $0).upperBound - overlap } ?? frames.lowerBound
            return begin..<(isLast ? frames.upperBound : frames.upperBound - overlap)
        }
    }
}
