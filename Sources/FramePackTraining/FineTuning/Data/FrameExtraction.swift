/// Which pieces of a video become clips.
///
/// Source: the dataset files of musubi-tuner, `frame_extraction`.
package enum FrameExtraction: String, Codable, CaseIterable {
    /// The first frames.
    case head
    /// One piece after another.
    case chunk
    /// A piece every so many frames.
    case slide
    /// So many pieces, evenly spread.
    case uniform
    /// All of it.
    case full
}

/// How clips are cut out of a video.
package struct ClipCutting: Codable, Equatable {
    /// Which pieces.
    package var extraction = FrameExtraction.head
    /// Lengths of pieces, in frames at 30 a second; not read by `full`.
    package var targetFrames = [1]
    /// Frames between the beginnings of pieces; `slide` alone.
    package var stride = 1
    /// Pieces of each length; `uniform` alone.
    package var samples = 1
    /// Frames of a piece at most; `full` alone.
    package var mostFrames = 129
    /// Latents of a section, W.
    package var window = 9

    /// The first frames of a video.
    package init() {}

    /// The clips of a video, each 4W·N + 1 frames long, in the order of their beginnings.
    ///
    /// - Parameter frameCount: Frames of the video at 30 a second.
    package func clips(frameCount: Int) -> [Range<Int>] {
        let whole = 0..<min(frameCount, mostFrames)
        let cut =
            extraction == .full
            ? [whole] : targetFrames.flatMap { pieces(of: $0, frameCount) }
        let trimmed = cut.compactMap { piece -> Range<Int>? in
            let sections = (piece.count - 1) / sectionFrames
            guard sections > 0 else { return nil }
            return piece.lowerBound..<piece.lowerBound + sections * sectionFrames + 1
        }
        return Set(trimmed).sorted { ($0.lowerBound, $0.count) < ($1.lowerBound, $1.count) }
    }

    /// Sections of the longest clip that there may be.
    var mostSections: Int {
        let frames = extraction == .full ? mostFrames : targetFrames.max() ?? 0
        return max(0, (frames - 1) / sectionFrames)
    }

    /// Frames that a section adds: 36 for a window of 9.
    var sectionFrames: Int { 4 * window }

    private func pieces(of length: Int, _ frameCount: Int) -> [Range<Int>] {
        guard length > 0, length <= frameCount else { return [] }
        let last = frameCount - length
        let starts: [Int]
        switch extraction {
        case .head, .full: starts = [0]
        case .chunk: starts = Array(Swift.stride(from: 0, through: last, by: length))
        case .slide: starts = Array(Swift.stride(from: 0, through: last, by: stride))
        case .uniform:
            starts = (0..<samples).map { samples == 1 ? 0 : last * $0 / (samples - 1) }
        }
        return starts.map { $0..<$0 + length }
    }
}
