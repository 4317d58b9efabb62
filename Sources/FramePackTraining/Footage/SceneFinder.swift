import Foundation
import FramePackMetrics
import Media

/// What is kept of each frame to find scenes by.
package struct FrameTrace: Sendable, Equatable {
    /// How far the frame is from the one before, in levels.
    package let change: Double
    /// The standard deviation of its luma, in levels.
    package let contrast: Double

    /// Puts them together.
    package init(change: Double, contrast: Double) {
        (self.change, self.contrast) = (change, contrast)
    }
}

/// Follows a video frame by frame.
struct SceneTracer {
    /// The longer side of the pictures that are compared.
    private static let side = 64
    private var before: (frame: FramePackMetrics.Frame, histograms: Histograms)?

    /// Compares a picture with the one before.
    ///
    /// The change is the mean of two: how far the levels of each colour have to be moved to turn one
    /// picture's histograms into the other's, which movement hardly touches, and how far the levels
    /// differ pixel by pixel.
    mutating func trace(_ picture: Picture) -> FrameTrace {
        let scale = min(1, Double(Self.side) / Double(max(picture.width, picture.height)))
        let small = picture.resized(
            width: max(1, Int(Double(picture.width) * scale)),
            height: max(1, Int(Double(picture.height) * scale)), filter: .box)
        let frame = FramePackMetrics.Frame(small)
        let histograms = Histograms(frame)
        defer { before = (frame, histograms) }
        let change = before.map {
            (FrameMeasures.histogramDistance($0.histograms, histograms)
                + FrameMeasures.change($0.frame, frame)) / 2
        }
        return FrameTrace(
            change: change ?? 0, contrast: frame.luma.variance.squareRoot())
    }
}

extension FramePackMetrics.Frame {
    /// The pixels of a picture.
    init(_ picture: Picture) {
        self.init(width: picture.width, height: picture.height, pixels: picture.pixels)
    }
}

/// Finds scenes: what lies between cuts, flat frames and fades.
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

    /// The scenes, in order; frames of fades and flat ones belong to none.
    package func scenes(_ trace: [FrameTrace]) -> [Range<Int>] {
        let cuts = Set(cuts(trace))
        let faded = fades(trace)
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
