import Foundation
import FramePackMetrics
import Media

/// What is kept of each frame to find scenes by.
package struct FrameTrace: Sendable, Equatable {
    /// How far the frame is from the one before, in levels.
    package let change: Double
    /// The standard deviation of its luma, in levels.
    package let contrast: Double
    /// Whether it lies where one picture goes over into another.
    package var isBlend: Bool

    /// Puts them together.
    package init(change: Double, contrast: Double, isBlend: Bool = false) {
        (self.change, self.contrast, self.isBlend) = (change, contrast, isBlend)
    }
}

/// Follows a video frame by frame.
struct SceneTracer {
    /// The longer side of the pictures that are compared.
    private static let side = 64
    /// Frames from the ends to the middle of what may be a dissolve: a short one or a long one.
    private static let spans = [4, 10]
    /// Levels that differ by so much between the ends say whether they go over evenly.
    private static let leastDifference = 6
    /// How far a level in the middle may be from the mean of both ends: as a share of half their
    /// difference, and in levels at least, for what the encoder adds.
    private static let mostDeviation = (share: 0.3, levels: 2.0)
    /// The share of levels that differ, and of those the share that goes over evenly.
    private static let leastShares = (differing: 0.35, even: 0.7)

    private var recent: [FramePackMetrics.Frame] = []
    private var histograms: Histograms?

    /// What was seen so far.
    private(set) var trace: [FrameTrace] = []

    /// Compares a picture with the one before.
    ///
    /// The change is the mean of two: how far the levels of each colour have to be moved to turn one
    /// picture's histograms into the other's, which movement hardly touches, and how far the levels
    /// differ pixel by pixel.
    mutating func add(_ picture: Picture) {
        let scale = min(1, Double(Self.side) / Double(max(picture.width, picture.height)))
        let small = picture.resized(
            width: max(1, Int(Double(picture.width) * scale)),
            height: max(1, Int(Double(picture.height) * scale)), filter: .box)
        let frame = FramePackMetrics.Frame(small)
        let (before, now) = (histograms, Histograms(frame))
        var change = 0.0
        if let before, let last = recent.last {
            change =
                (FrameMeasures.histogramDistance(before, now) + FrameMeasures.change(last, frame))
                / 2
        }
        histograms = now
        let contrast = frame.luma.variance.squareRoot()
        add(frame, FrameTrace(change: change, contrast: contrast))
    }

    /// The same picture once more.
    mutating func addRepeated() {
        guard let frame = recent.last, let last = trace.last else { return }
        add(frame, FrameTrace(change: 0, contrast: last.contrast))
    }

    private mutating func add(_ frame: FramePackMetrics.Frame, _ next: FrameTrace) {
        trace.append(next)
        recent.append(frame)
        if recent.count > 2 * (Self.spans.max() ?? 0) + 1 { recent.removeFirst() }
        for span in Self.spans where recent.count > 2 * span {
            let end = recent.count - 1
            if Self.isBlend(recent[end - 2 * span], recent[end - span], recent[end]) {
                for at in trace.count - 1 - 2 * span..<trace.count { trace[at].isBlend = true }
            }
        }
    }

    /// Whether the middle frame is the mean of both ends, which differ: in a dissolve it is, pixel by
    /// pixel but for what moves, and where only things move it is not.
    private static func isBlend(
        _ first: FramePackMetrics.Frame, _ middle: FramePackMetrics.Frame,
        _ last: FramePackMetrics.Frame
    ) -> Bool {
        var (differing, even) = (0, 0)
        for at in middle.pixels.indices {
            let (a, b) = (Int(first.pixels[at]), Int(last.pixels[at]))
            let difference = abs(a - b)
            guard difference >= leastDifference else { continue }
            differing += 1
            let deviation = abs(2 * Int(middle.pixels[at]) - a - b)
            let bound = max(mostDeviation.share * Double(difference), 2 * mostDeviation.levels)
            if Double(deviation) <= bound { even += 1 }
        }
        return Double(differing) >= leastShares.differing * Double(middle.pixels.count)
            && Double(even) >= leastShares.even * Double(differing)
    }
}

extension FramePackMetrics.Frame {
    /// The pixels of a picture.
    init(_ picture: Picture) {
        self.init(width: picture.width, height: picture.height, pixels: picture.pixels)
    }
}

/// Finds scenes: what lies between cuts, flat frames, fades and dissolves.
package struct SceneFinder: Sendable {
    /// Smallest change that is a cut, in levels.
    package var cutThreshold: Double
    /// How many times the mean of the four changes around it a cut is.
    package var cutRatio: Double

    /// Frames of less contrast show nothing, be they black, white or of one colour.
    static let flatContrast = 4.0
    /// In a fade contrast falls by so much from frame to frame at least.
    static let fadeRatio = 0.985
    /// The longest fade, in frames.
    static let longestFade = 90

    /// Makes a finder.
    package init(cutThreshold: Double, cutRatio: Double) {
        (self.cutThreshold, self.cutRatio) = (cutThreshold, cutRatio)
    }

    /// The frames at which another scene begins without a transition.
    package func cuts(_ trace: [FrameTrace]) -> [Int] {
        trace.indices.dropFirst().filter { at in
            let change = trace[at].change
            guard change >= cutThreshold else { return false }
            let around = [at - 2, at - 1, at + 1, at + 2].filter { trace.indices.contains($0) }
            let others = around.map { trace[$0].change }
            return change >= cutRatio * others.reduce(0, +) / Double(max(others.count, 1))
        }
    }

    /// Frames that are flat or part of a fade to or from flat ones.
    package func fades(_ trace: [FrameTrace]) -> Set<Int> {
        var faded = Set(trace.indices.filter { trace[$0].contrast < Self.flatContrast })
        let flat = faded
        let jumps = Set(cuts(trace))
        for at in flat {
            if !flat.contains(at - 1) {
                // Backwards from where it is flat: each frame has less contrast than the one before.
                var frame = at - 1
                while frame >= 1, at - frame <= Self.longestFade, !jumps.contains(frame + 1),
                    trace[frame].contrast < Self.fadeRatio * trace[frame - 1].contrast
                {
                    faded.insert(frame)
                    frame -= 1
                }
            }
            if !flat.contains(at + 1) {
                var frame = at + 1
                while frame + 1 < trace.count, frame - at <= Self.longestFade,
                    !jumps.contains(frame),
                    trace[frame].contrast < Self.fadeRatio * trace[frame + 1].contrast
                {
                    faded.insert(frame)
                    frame += 1
                }
            }
        }
        return faded
    }

    /// Frames of dissolves, but for fades, whose frames are known more exactly.
    func dissolves(_ trace: [FrameTrace], fades: Set<Int>) -> Set<Int> {
        var dissolved: Set<Int> = []
        var first: Int?
        for at in 0...trace.count {
            let isBlend = at < trace.count && trace[at].isBlend
            if let start = first, !isBlend {
                if fades.isDisjoint(with: start..<at) { dissolved.formUnion(start..<at) }
                first = nil
            }
            if isBlend, first == nil { first = at }
        }
        return dissolved
    }

    /// The scenes, in order; frames of fades and dissolves, and flat ones, belong to none.
    package func scenes(_ trace: [FrameTrace]) -> [Range<Int>] {
        let cuts = Set(cuts(trace))
        var faded = fades(trace)
        faded.formUnion(dissolves(trace, fades: faded))
        var scenes: [Range<Int>] = []
        var first: Int?
        for at in 0...trace.count {
            let isEnd = at == trace.count || faded.contains(at)
            if let start = first, isEnd || cuts.contains(at) {
                scenes.append(start..<at)
                first = nil
            }
            if !isEnd, first == nil { first = at }
        }
        return scenes
    }
}
