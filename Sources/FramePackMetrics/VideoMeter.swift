/// Measures a video frame by frame, with two earlier frames in memory at most.
public struct VideoMeter: Sendable {
    /// Frames that were added.
    public private(set) var frameCount = 0
    /// A value for each frame and metric; nil where the frame has none, as the first has no motion.
    public private(set) var values: [Metric: [Double?]] = [:]
    private let measuresMotion: Bool
    private let estimate = LucasKanade()
    private var start: Histograms?
    private var before: Frame?
    private var lumaBefore: Plane?
    private var flowBefore: FlowField?
    private var cells: [Plane] = []

    /// Begins a video.
    ///
    /// - Parameter measuresMotion: Whether the optical flow is found, which takes most of the time.
    public init(measuresMotion: Bool = true) { self.measuresMotion = measuresMotion }

    /// Measures the next frame.
    ///
    /// - Parameters:
    ///   - frame: The frame; all frames of a video have one size.
    ///   - reference: The frame of another video that it is compared with, of the same size.
    public mutating func add(_ frame: Frame, reference: Frame? = nil) {
        if let before {
            precondition(
                frame.width == before.width && frame.height == before.height,
                "the frames of a video have one size")
        }
        let luma = frame.luma
        measureColours(frame, luma)
        measureTime(frame, luma)
        if let reference {
            set(.psnr, Similarity.psnr(frame, reference))
            set(.ssim, Similarity.ssim(luma, reference.luma))
        }
        (before, lumaBefore) = (frame, luma)
        frameCount += 1
        for metric in values.keys where values[metric]?.count ?? 0 < frameCount {
            values[metric]?.append(nil)
        }
    }

    private mutating func measureColours(_ frame: Frame, _ luma: Plane) {
        let histograms = Histograms(frame)
        let start = start ?? histograms
        self.start = start
        set(.sharpness, FrameMeasures.sharpness(luma))
        set(.brightness, luma.mean)
        set(.contrast, luma.variance.squareRoot())
        set(.red, histograms.means[0])
        set(.green, histograms.means[1])
        set(.blue, histograms.means[2])
        set(.saturation, FrameMeasures.saturation(frame))
        set(.histogram, FrameMeasures.histogramDistance(start, histograms))
    }

    private mutating func measureTime(_ frame: Frame, _ luma: Plane) {
        cells = cells.suffix(2) + [FrameMeasures.cells(luma)]
        // The frame in the middle of three is the one that jumps.
        if cells.count == 3 {
            set(.flicker, FrameMeasures.flicker((cells[0], cells[1], cells[2])), back: 1)
        }
        guard let before, let lumaBefore else { return }
        set(.change, FrameMeasures.change(before, frame))
        guard measuresMotion else { return }
        let flow = estimate(from: lumaBefore, to: luma)
        set(.motion, flow.meanLength)
        if let flowBefore { set(.jitter, flow.meanDistance(to: flowBefore)) }
        flowBefore = flow
    }

    /// Sets a value of the frame that is being added, or of one a little earlier.
    private mutating func set(_ metric: Metric, _ value: Double, back: Int = 0) {
        let place = frameCount - back
        var values = self.values[metric] ?? []
        while values.count <= place { values.append(nil) }
        values[place] = value
        self.values[metric] = values
    }
}
