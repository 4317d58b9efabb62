import Foundation
import FramePack
import FramePackMetrics
import Media

/// What was measured at one place of a video.
package struct FootageSample: Sendable, Equatable {
    /// The frames between which it was measured, both included.
    package let frames: ClosedRange<Int>
    /// How far what moves most moves, in percent of the longer side a second.
    package let motion: Double
    /// How much the movement changes from frame to frame, in percent of the longer side.
    package let jitter: Double
    /// The variance of the Laplacian, in levels squared.
    package let sharpness: Double

    /// Puts them together.
    package init(frames: ClosedRange<Int>, motion: Double, jitter: Double, sharpness: Double) {
        (self.frames, self.motion) = (frames, motion)
        (self.jitter, self.sharpness) = (jitter, sharpness)
    }
}

/// A video looked through once: 24 bytes for each frame, and a sample now and then.
struct FootageAnalysis {
    /// Frames from one sample to the next.
    private static let sampleInterval = 12

    /// What the clips' size is.
    let size: FrameSize
    /// How much pictures are enlarged for it.
    let enlargement: Double
    /// The video's own frames a second; 0 where it does not say.
    let framesPerSecond: Double
    private var tracer = SceneTracer()
    private(set) var samples: [FootageSample] = []

    /// Looks a video through.
    ///
    /// - Parameter onFrame: Called with the share that is done, in [0, 1], before each frame.
    /// - Throws: `MediaError` for a file that cannot be read; what `onFrame` throws.
    init(_ file: URL, _ options: FootageOptions, onFrame: (Double) throws -> Void) throws {
        let rate = Double(options.framesPerSecond)
        let reader = try SteadyReader(file, rate: rate) { video in
            // Of the video's shape, and as large as what the clip is cut from.
            let scale = min(Self.fit(video, options).1, 1)
            return (
                max(1, Int((Double(video.width) * scale).rounded())),
                max(1, Int((Double(video.height) * scale).rounded()))
            )
        }
        (size, enlargement) = Self.fit(reader.video, options)
        framesPerSecond = reader.video.framesPerSecond
        let expected = max(1, reader.video.seconds * rate)
        var recent: [(place: Int, luma: Plane)] = []
        var interval = -1
        let ownRate = framesPerSecond > 0 ? framesPerSecond : rate
        while true {
            try onFrame(min(1, Double(trace.count) / expected))
            guard let frame = try reader.next() else { break }
            if frame.isRepeated {
                tracer.addRepeated()
                continue
            }
            tracer.add(frame.picture)
            // Three frames in a row from each interval.
            let place = trace.count - 1
            if place / Self.sampleInterval > interval {
                (interval, recent) = (place / Self.sampleInterval, [])
            }
            guard recent.count < 3 else { continue }
            recent.append((place, FramePackMetrics.Frame(frame.picture).luma))
            if recent.count == 3 {
                samples.append(Self.sample(recent, rate: min(ownRate, rate)))
            }
        }
    }

    /// What was seen of each frame.
    var trace: [FrameTrace] { tracer.trace }

    /// The clips' size for a video, and by how much pictures change their size.
    private static func fit(_ video: VideoReader, _ options: FootageOptions) -> (FrameSize, Double)
    {
        let own = FrameSize(height: video.height, width: video.width)
        let size = options.buckets.nearest(to: own)
        let ratio = max(
            Double(size.width) / Double(own.width), Double(size.height) / Double(own.height))
        return (size, ratio)
    }

    private static func sample(_ three: [(place: Int, luma: Plane)], rate: Double)
        -> FootageSample
    {
        let (flow, luma) = (LucasKanade(), three.map(\.luma))
        let (first, second) = (flow(from: luma[0], to: luma[1]), flow(from: luma[1], to: luma[2]))
        let percent = 100 / Double(max(luma[0].width, luma[0].height))
        return FootageSample(
            frames: three[0].place...three[2].place,
            motion: rate * percent * (first.longestTwentieth + second.longestTwentieth) / 2,
            jitter: percent * first.meanDistance(to: second),
            sharpness: FrameMeasures.sharpness(luma[1]))
    }
}
