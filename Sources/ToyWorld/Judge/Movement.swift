import Foundation

/// What one object did in some successive frames, and whether it's what was promised.
struct Movement {
    /// What was promised.
    let object: ObjectFacts
    /// What the camera was promised to do.
    let camera: Camera
    /// One thing per frame, nil where there's none; the first one is the frame before the section.
    let detections: ArraySlice<Detection?>
    /// Whether the video starts with these frames.
    let isFirst: Bool

    /// Frames between the two places that give one velocity.
    private static let lag = 3

    /// What was found.
    struct Finding {
        /// Whether the direction is the promised one.
        var isRight: Bool
        /// The speed, relative to the promised one; nil if it has none or it wasn't seen.
        var speed: Double?
    }

    /// Judges the movement.
    func finding() -> Finding {
        guard camera.kind == .fixed else { return cameraFinding() }
        switch object.motion.kind {
        case .still: return Finding(isRight: isResting(), speed: nil)
        case .straight: return straight()
        case .bouncing, .leaving:
            return swinging(
                object.motion.direction ?? .left, object.motion.speed?.sidesPerSecond ?? 1,
                firstFrames: object.motion.speed == .slow ? 9 : 5)
        case .falling: return swinging(.down, 0.5, firstFrames: 12)
        case .circling: return circling()
        case .spinning: return spinning()
        case .growing:
            let frames = (object.motion.speed?.secondsPerGrowth ?? 1) * Double(Scene.frameRate)
            return growing(
                object.motion.direction ?? .larger, least: 0.08, firstFrames: Int(0.4 * frames))
        }
    }

    private func cameraFinding() -> Finding {
        switch camera.direction {
        case .larger, .smaller:
            return growing(camera.direction ?? .larger, least: 0.04, firstFrames: 24)
        // The object seems to go the other way.
        case .left: return swinging(.right, 0.16, firstFrames: 14)
        case .right: return swinging(.left, 0.16, firstFrames: 14)
        case .up: return swinging(.down, 0.16, firstFrames: 14)
        case .down: return swinging(.up, 0.16, firstFrames: 14)
        default: return Finding(isRight: isResting(), speed: nil)
        }
    }

    // MARK: - Velocities

    /// A velocity, from places a few frames apart.
    private struct Step {
        /// In picture sides per second.
        var velocity: SIMD2<Double>
        /// Whether the thing was wholly inside the picture.
        var isWhole: Bool
        /// Whether no other thing may have covered a part of it.
        var isClear: Bool
    }

    private func steps() -> [Step] {
        let lag = Movement.lag
        guard detections.count > lag else { return [] }
        return (detections.startIndex..<detections.endIndex - lag).compactMap { index in
            guard let before = detections[index], let after = detections[index + lag] else {
                return nil
            }
            let way = Movement.way(from: before, to: after)
            // A larger jump is a return on the other side.
            guard length(way) < 0.3 else { return nil }
            return Step(
                velocity: way * (Double(Scene.frameRate) / Double(lag)),
                isWhole: !before.touchesBorder && !after.touchesBorder,
                isClear: !before.touchesOther && !after.touchesOther)
        }
    }

    /// Steps that are worth most for the speed along a line: clear ones, if there are some.
    private static func alongSteps(_ steps: [Step]) -> (steps: [Step], areExact: Bool) {
        let clear = steps.filter(\.isClear)
        return clear.count >= 3 ? (clear, true) : (steps, false)
    }

    /// The part of the steps across a direction that's allowed at most, relative to that along it,
    /// and the steps that show it best.
    private static func acrossSteps(_ steps: [Step]) -> (steps: [Step], limit: Double) {
        let whole = steps.filter { $0.isWhole && $0.isClear }
        // What is cut off seems to shift sideways, too.
        return whole.count >= 6 ? (whole, 0.6) : (steps, 1.5)
    }

    /// How far a thing went: by its centre, or, if it reaches over the picture's border, by the
    /// opposite edge, which is all there; across that by the edge that moved less, since what lies
    /// outside may be the end of one of them.
    private static func way(from before: Detection, to after: Detection) -> SIMD2<Double> {
        guard before.touchesBorder || after.touchesBorder else {
            return after.centre - before.centre
        }
        let low = after.low - before.low
        let high = after.high - before.high
        var way = SIMD2(0.0, 0.0)
        for axis in 0..<2 {
            let isLowCut = min(before.low[axis], after.low[axis]) < 0.01
            let isHighCut = max(before.high[axis], after.high[axis]) > 0.99
            if isLowCut != isHighCut {
                way[axis] = isLowCut ? high[axis] : low[axis]
            } else {
                way[axis] = abs(low[axis]) < abs(high[axis]) ? low[axis] : high[axis]
            }
        }
        return way
    }

    private func median(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    private func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    // MARK: - Kinds

    private func isResting() -> Bool {
        let seen = detections.compactMap { $0 }
        guard let first = seen.first, let last = seen.last else { return false }
        let speeds = steps().map { length($0.velocity) }
        return length(last.centre - first.centre) < 0.05 && median(speeds) < 0.08
            && abs((last.area / first.area).squareRoot() - 1) < 0.15
    }

    private func straight() -> Finding {
        let (steps, areExact) = Movement.alongSteps(steps())
        guard steps.count >= 3, let direction = object.motion.direction?.vector,
            let expected = object.motion.speed?.sidesPerSecond
        else { return Finding(isRight: false, speed: nil) }
        let along = median(steps.map { ($0.velocity * direction).sum() })
        let (sideSteps, limit) = Movement.acrossSteps(steps)
        let side = SIMD2(direction.y, direction.x)
        let across = abs(median(sideSteps.map { ($0.velocity * side).sum() }))
        return Finding(
            isRight: along > 0.08 && across < limit * along,
            speed: areExact ? along / expected : nil)
    }

    /// To and fro along one line, in the named direction at first.
    private func swinging(_ direction: Direction, _ expected: Double, firstFrames: Int) -> Finding {
        let (steps, areExact) = Movement.alongSteps(steps())
        guard steps.count >= 3 else { return Finding(isRight: false, speed: nil) }
        let line = direction.vector
        let along = mean(steps.map { abs(($0.velocity * line).sum()) })
        let (sideSteps, limit) = Movement.acrossSteps(steps)
        let side = SIMD2(line.y, line.x)
        let across = mean(sideSteps.map { abs(($0.velocity * side).sum()) })
        var isRight =
            along > (areExact ? 0.35 : 0.15) * expected && along < 2.2 * expected
            && across < limit * along
        if isFirst, let start = detections.first ?? nil,
            let next = detections.dropFirst(firstFrames).compactMap({ $0 }).first
        {
            isRight = isRight && ((next.centre - start.centre) * direction.vector).sum() > 0.02
        }
        return Finding(isRight: isRight, speed: areExact ? along / expected : nil)
    }

    private func circling() -> Finding {
        let angles = detections.map { detection -> Double? in
            guard let offset = detection.map({ $0.centre - 0.5 }), length(offset) > 0.08 else {
                return nil
            }
            return atan2(offset.y, offset.x)
        }
        return turning(angles, period: 2 * .pi, object.motion.speed?.orbitsPerSecond ?? 1)
    }

    private func spinning() -> Finding {
        let corners = object.shape.symmetry
        guard (3...5).contains(corners) else { return Finding(isRight: true, speed: nil) }
        let angles = detections.map { $0?.turns[corners - 3] }
        return turning(
            angles, period: 2 * .pi / Double(corners), object.motion.speed?.turnsPerSecond ?? 1)
    }

    /// Whether angles that repeat after a period run in the promised sense.
    private func turning(_ angles: [Double?], period: Double, _ expected: Double) -> Finding {
        var steps: [Double] = []
        for (before, after) in zip(angles, angles.dropFirst()) {
            guard let before, let after else { continue }
            steps.append(wrapped(after - before + period / 2, length: period) - period / 2)
        }
        guard steps.count >= 6 else { return Finding(isRight: false, speed: nil) }
        let sign: Double = object.motion.direction == .clockwise ? 1 : -1
        let turns = sign * steps.reduce(0, +) / Double(steps.count) / (2 * .pi)
        let speed = turns * Double(Scene.frameRate) / expected
        return Finding(isRight: speed > 0.35 && speed < 2.2, speed: speed)
    }

    /// Larger and smaller by turns, in the named sense at first.
    ///
    /// - Parameter least: the least change of the radius, relative to the radius.
    private func growing(_ direction: Direction, least change: Double, firstFrames: Int) -> Finding
    {
        let radii = detections.compactMap { $0?.area.squareRoot() }
        guard radii.count >= 6 else { return Finding(isRight: false, speed: nil) }
        let smooth: [Double] = (1..<radii.count - 1).map { index in
            let sum: Double = radii[index - 1] + radii[index] + radii[index + 1]
            return sum / 3
        }
        let least: Double = smooth.min() ?? 1
        let most: Double = smooth.max() ?? 1
        var isRight = (most - least) / ((most + least) / 2) > change
        if isFirst, radii.count > firstFrames {
            isRight = isRight && (radii[firstFrames] > radii[0]) == (direction == .larger)
        }
        return Finding(isRight: isRight, speed: nil)
    }
}
