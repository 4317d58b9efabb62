public import Torch

/// Joins decoded pieces softly, and keeps no more of them than the next join needs.
///
/// Source: `soft_append_bcthw` in `diffusers_helper/utils.py`.
public struct SoftAppend {
    private let plan: SectionPlan
    /// The frames that the next join changes, `(1, 3, N, H, W)`.
    private var open: Tensor?

    /// Begins a video.
    public init(_ plan: SectionPlan) { self.plan = plan }

    private var overlap: Int { VideoLength.frameCount(latents: plan.window) }

    /// Joins the piece that was decoded after a section.
    ///
    /// - Parameters:
    ///   - pixels: `(1, 3, N, H, W)` around [-1, 1]; N is at least the frames of a window, 4W - 3.
    ///   - section: The section; those that are decoded come in the order of generation.
    /// - Returns: The frames that are finished now, `(1, 3, N, H, W)` with another N, nil where
    ///   there are none: those of ``SectionPlan/finishedFrames(after:)``.
    /// - Throws: `TorchError` for fewer frames, or where memory does not suffice.
    public mutating func join(_ pixels: Tensor, after section: Section) throws -> Tensor? {
        let whole = try open.map { try joined(pixels, with: $0) } ?? pixels
        let isLast = plan.neighbours(of: section).after == nil
        let kept = isLast ? 0 : overlap
        let finished = whole.dim(2) - kept
        let isForward = plan.order.finishesForward
        open =
            isLast ? nil : try whole.narrow(2, isForward ? finished : 0, overlap).clone()
        return finished == 0 ? nil : try whole.narrow(2, isForward ? 0 : kept, finished)
    }

    /// Takes up a join where an earlier run left it: the piece that was decoded after the section
    /// before decides alone which frames are open.
    ///
    /// - Parameter pixels: That piece, `(1, 3, N, H, W)` around [-1, 1]; N is at least the frames
    ///   of a window, 4W - 3.
    /// - Throws: `TorchError` for fewer frames, or where memory does not suffice.
    public mutating func restore(_ pixels: Tensor) throws {
        let start = plan.order.finishesForward ? pixels.dim(2) - overlap : 0
        open = try pixels.narrow(2, start, overlap).clone()
    }

    /// The piece and the open frames as one, blended where they meet.
    private func joined(_ pixels: Tensor, with open: Tensor) throws -> Tensor {
        let count = pixels.dim(2)
        let isForward = plan.order.finishesForward
        let meeting = try pixels.narrow(2, isForward ? 0 : count - overlap, overlap)
        let (earlier, later) = isForward ? (open, meeting) : (meeting, open)
        let fading = try Tensor.linspace(1, 0, count: overlap).reshape(1, 1, overlap, 1, 1)
            .to(pixels.device)
        let blend = try fading * earlier + (1 - fading) * later
        let rest = try pixels.narrow(2, isForward ? overlap : 0, count - overlap)
        return try .cat(isForward ? [blend, rest] : [rest, blend], axis: 2)
    }
}
