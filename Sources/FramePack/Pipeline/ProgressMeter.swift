import Foundation

/// Tells how far a run is and how long it will take.
///
/// Work is counted in steps of the sampler; a section's decoding and the encoders count as some
/// steps until their time is measured, so that progress never runs backwards.
struct ProgressMeter {
    static let encodingSteps = 2.0
    static let decodingSteps = 3.0

    private let began = Date()
    private let sections, steps: Int
    private var stage: (stage: Stage, since: Date)?
    private(set) var stages: [String: Double] = [:]
    private var isEncoded = false
    private var stepsLeft, decodingsLeft: Int
    private var stepSeconds: [Double] = []
    private var decodingSeconds: [Double] = []

    init(sections: Int, steps: Int) {
        (self.sections, self.steps) = (sections, steps)
        (stepsLeft, decodingsLeft) = (sections * steps, sections)
    }

    var seconds: Double { Date().timeIntervalSince(began) }

    var progress: Double {
        let total =
            Self.encodingSteps + Double(sections * steps)
            + Self.decodingSteps * Double(sections)
        let left =
            (isEncoded ? 0 : Self.encodingSteps) + Double(stepsLeft)
            + Self.decodingSteps * Double(decodingsLeft)
        return 1 - left / total
    }

    var secondsLeft: Double? {
        guard let step = Self.median(stepSeconds) ?? (stepsLeft == 0 ? 0 : nil) else { return nil }
        let decoding = Self.median(decodingSeconds) ?? Self.decodingSteps * step
        return step * Double(stepsLeft) + decoding * Double(decodingsLeft)
    }

    mutating func begin(_ next: Stage?) {
        let now = Date()
        if let stage {
            stages[stage.stage.rawValue, default: 0] += now.timeIntervalSince(stage.since)
        }
        stage = next.map { ($0, now) }
        if next == .sample || next == .decode || next == .write { isEncoded = true }
    }

    mutating func stepDone(seconds: Double) {
        stepsLeft -= 1
        stepSeconds = Self.latest(stepSeconds + [seconds])
    }

    mutating func sectionFound() { stepsLeft -= steps }

    /// Counts a decoding; `seconds` is nil where its frames were there already.
    mutating func decodingDone(seconds: Double?) {
        decodingsLeft -= 1
        if let seconds { decodingSeconds = Self.latest(decodingSeconds + [seconds]) }
    }

    /// What is looked at: a video of any length keeps no more.
    private static func latest(_ values: [Double]) -> [Double] { values.suffix(50) }

    private static func median(_ values: [Double]) -> Double? {
        // The first steps of a run also load and warm up, hence no mean.
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
}
