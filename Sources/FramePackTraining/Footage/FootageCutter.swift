import FramePack

/// Turns what is known of a video into clips.
struct FootageCutter {
    let options: FootageOptions

    /// The clips of a looked-through video, those that are left out among them.
    func record(_ source: FootageSource, _ analysis: FootageAnalysis) -> FootageRecord {
        let finder = SceneFinder(cutThreshold: options.cutThreshold, cutRatio: options.cutRatio)
        let scenes = finder.scenes(analysis.trace)
        let ranges = scenes.flatMap(pieces)
        let clips = ranges.map { clip($0, source, analysis) }
        return FootageRecord(
            source: source.path, bytes: source.bytes, changed: source.changed, problem: nil,
            frames: analysis.trace.count, scenes: scenes.count,
            unusedFrames: analysis.trace.count - clips.reduce(0) { $0 + $1.frames }, clips: clips,
            isDone: false)
    }

    /// A scene as clips, as long as can be, from its beginning; a scene that is too short as a whole.
    func pieces(_ scene: Range<Int>) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var first = scene.lowerBound
        let section = options.frameCount(sections: 1) - 1
        while true {
            let sections = min((scene.upperBound - first - 1) / section, options.mostSections)
            guard sections >= options.fewestSections else { break }
            let count = options.frameCount(sections: sections)
            pieces.append(first..<first + count)
            first += count
        }
        return pieces.isEmpty ? [scene] : pieces
    }

    private func clip(_ range: Range<Int>, _ source: FootageSource, _ analysis: FootageAnalysis)
        -> FootageClip
    {
        let samples = analysis.samples.filter {
            range.contains($0.frames.lowerBound) && range.contains($0.frames.upperBound)
        }
        func mean(_ value: (FootageSample) -> Double) -> Double? {
            samples.isEmpty ? nil : samples.map(value).reduce(0, +) / Double(samples.count)
        }
        let measures = (mean(\.motion), mean(\.jitter), mean(\.sharpness))
        let number = String(range.lowerBound + 10_000_000).dropFirst()
        return FootageClip(
            file: "\(source.clipStem)-\(number).mp4", firstFrame: range.lowerBound,
            frames: range.count, size: analysis.size, motion: measures.0, jitter: measures.1,
            sharpness: measures.2, flaw: flaw(range, analysis, measures))
    }

    private func flaw(
        _ range: Range<Int>, _ analysis: FootageAnalysis,
        _ measures: (motion: Double?, jitter: Double?, sharpness: Double?)
    ) -> FootageFlaw? {
        let isSlow = analysis.framesPerSecond > 0 && analysis.framesPerSecond < options.leastRate
        if isSlow { return .slow }
        if analysis.enlargement > options.mostEnlargement { return .small }
        if range.count < options.frameCount(sections: options.fewestSections) { return .short }
        if let sharpness = measures.sharpness, sharpness < options.leastSharpness {
            return .blurred
        }
        if let motion = measures.motion, motion < options.leastMotion { return .still }
        if let jitter = measures.jitter, jitter > options.mostJitter { return .jumpy }
        return nil
    }
}
