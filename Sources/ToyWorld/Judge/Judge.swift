import FramePackMetrics

/// Measures from the pixels of a video whether it shows what its caption promised.
///
/// What is where is found from pixels alone; the promised facts are used only to score it.
public struct Judge: Sendable {
    /// Changes whenever what a judge finds does, so that older findings are not taken for newer.
    public static let version = 2
    /// The frames of a section, as many as the model makes at a time.
    public static let sectionFrames = 36

    /// Fit the outlines only to every so many frames; the other measurements are made on each.
    public var shapeStride = 4

    /// A judge with the default settings.
    public init() {}

    /// Judges a video.
    ///
    /// - Parameters:
    ///   - video: `[F, side, side, 3]`, 8-bit RGB; the first frame is the start picture.
    ///   - side: the side of the picture, in pixels, at least 16.
    ///   - facts: what was promised.
    ///   - scene: the scene whose exact states the places are compared with, if there is one; it may
    ///     have another side than the video.
    public func report(
        video: [UInt8], side: Int, facts: SceneFacts, scene: Scene? = nil
    ) -> VideoReport {
        let frameBytes = 3 * side * side
        precondition(
            !video.isEmpty && video.count % frameBytes == 0,
            "A video of \(side) by \(side) pixels can't have \(video.count) bytes.")
        let frames = video.count / frameBytes
        var eye = Eye(side: side)
        var follower = Follower(facts: facts)
        var sightings = facts.objects.map { _ in [Sighting]() }
        var strangers = 0
        var backgrounds: [SIMD3<Double>?] = []
        for frame in 0..<frames {
            let detections = video.withUnsafeBufferPointer { bytes in
                let pixels = UnsafeBufferPointer(
                    rebasing: bytes[frame * frameBytes..<(frame + 1) * frameBytes])
                defer { backgrounds.append(eye.background(of: pixels)) }
                return eye.look(at: pixels, fitsShapes: frame % shapeStride == 0)
            }
            let found = follower.assign(detections, frame: frame)
            strangers += detections.count - found.count { $0 != nil }
            let states = scene?.state(frame: frame)
            for (index, object) in facts.objects.enumerated() {
                sightings[index].append(
                    sighting(
                        object, found[index], frame: frame,
                        truth: states.map { $0[index] }, side: scene?.side ?? side))
            }
        }
        let drift = facts.camera.kind == .fixed ? drift(backgrounds) : nil
        return VideoReport(
            frames: frames, camera: facts.camera,
            objects: zip(facts.objects, sightings).map { object, sightings in
                var report = ObjectRecord(
                    facts: object, camera: facts.camera, sightings: sightings
                ).report()
                report.drift[.background] = drift
                return report
            }, strangers: Double(strangers) / Double(frames))
    }

    private func drift(_ colours: [SIMD3<Double>?]) -> Double? {
        let channels = (0..<3).compactMap { channel in Drift.of(colours.map { $0?[channel] }) }
        guard channels.count == 3 else { return nil }
        return (channels.reduce(0) { $0 + $1 * $1 } / 3).squareRoot()
    }

    private func sighting(
        _ object: ObjectFacts, _ detection: Detection?, frame: Int, truth: ObjectState?, side: Int
    ) -> Sighting {
        var error: Double?
        if let truth, let detection, truth.opacity > 0.5, truth.visibleFraction > 0.3,
            let place = truth.visibleCentre
        {
            error = length(detection.centre - place / Double(side))
        }
        return Sighting(
            detection: detection, isExpected: object.isExpected(frame: frame),
            expectedColour: object.expectedColour(frame: frame), positionError: error)
    }
}
