/// How much a measure differs between the beginning and the end of a video:
/// Δ = |M(first 15 % of the frames) − M(last 15 %)|.
///
/// Which end was generated first does not matter, since the difference has no sign. Fifteen per
/// cent are rounded down to whole frames, and are one frame at least.
///
/// Source: arXiv 2504.12626, the drift measure of its experiments.
public enum Drift {
    /// How many frames each end has.
    ///
    /// - Parameter count: Frames of the video.
    public static func endCount(of count: Int) -> Int { max(count * 15 / 100, 1) }

    /// The difference for any measure of a piece of video.
    ///
    /// - Parameters:
    ///   - frames: The video, or what was found in each of its frames.
    ///   - measure: The measure M of the frames at one end; nil where it has no value.
    /// - Returns: Nil for fewer than two frames, or where an end has no value.
    /// - Throws: What `measure` throws.
    public static func between<Frames: BidirectionalCollection>(
        endsOf frames: Frames, _ measure: (Frames.SubSequence) throws -> Double?
    ) rethrows -> Double? {
        guard frames.count > 1 else { return nil }
        let part = endCount(of: frames.count)
        guard let first = try measure(frames.prefix(part)),
            let last = try measure(frames.suffix(part))
        else { return nil }
        return abs(first - last)
    }

    /// The difference for a measure that is a mean over frames.
    ///
    /// - Parameter values: A value for each frame, or nil where the frame has none.
    /// - Returns: Nil for fewer than two frames, or where no frame of an end has a value.
    public static func of(_ values: some BidirectionalCollection<Double?>) -> Double? {
        between(endsOf: values) { mean($0) }
    }

    /// The mean of the values that are there; nil if none is.
    public static func mean(_ values: some Sequence<Double?>) -> Double? {
        var (sum, count) = (0.0, 0)
        for case let value? in values {
            sum += value
            count += 1
        }
        return count == 0 ? nil : sum / Double(count)
    }
}
