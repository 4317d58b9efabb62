/// One promised object in one frame, as far as it's there.
public struct Sighting: Codable, Sendable, Hashable {
    /// The thing that was taken for the object; nil if there's none.
    public var detection: Detection?
    /// Whether the object should be there; nil while it comes or goes.
    public var isExpected: Bool?
    /// The colour that the object should have; nil while it changes.
    public var expectedColour: Colour?
    /// The distance from the true place, in picture sides; nil without a truth, or if the object is
    /// hidden in either.
    public var positionError: Double?
}

extension ObjectFacts {
    /// How long before and after an event neither state counts as wrong, in frames.
    static let eventSlack = 9

    /// Whether the object should be there; nil close to the time when it comes or goes.
    func isExpected(frame: Int) -> Bool? {
        guard let event, event.kind != .changingColour else { return true }
        let moment = event.second * Scene.frameRate
        guard abs(frame - moment) >= ObjectFacts.eventSlack else { return nil }
        return (frame < moment) == (event.kind == .vanishing)
    }

    /// The colour that the object should have; nil close to the time when it changes.
    func expectedColour(frame: Int) -> Colour? {
        guard let event, let newColour = event.newColour else { return colour }
        let moment = event.second * Scene.frameRate
        guard abs(frame - moment) >= ObjectFacts.eventSlack else { return nil }
        return frame < moment ? colour : newColour
    }

    /// The least share of frames in which the object is seen: one that crosses the border or passes
    /// behind another is hidden for a while.
    var leastPresence: Double {
        motion.kind == .straight || motion.kind == .leaving ? 0.35 : 0.8
    }
}

/// Follows each promised object through the frames of a video.
struct Follower {
    let facts: SceneFacts
    private var last: [SIMD2<Double>?]

    init(facts: SceneFacts) {
        self.facts = facts
        last = facts.objects.map { _ in nil }
    }

    /// Says which thing is which promised object: by colour, otherwise by place, each thing once.
    mutating func assign(_ detections: [Detection], frame: Int) -> [Detection?] {
        var free = detections
        var found = [Detection?](repeating: nil, count: facts.objects.count)
        for (index, object) in facts.objects.enumerated() {
            let colours: [Colour] =
                object.expectedColour(frame: frame).map { [$0] }
                ?? [object.colour, object.event?.newColour ?? object.colour]
            let largest = free.first?.area ?? 0
            let match = free.firstIndex {
                colours.contains($0.colour)
                    && (facts.objects.count > 1 || $0.area >= 0.4 * largest)
            }
            if let match { found[index] = free.remove(at: match) }
        }
        for index in found.indices where found[index] == nil {
            let nearest = free.indices.min {
                distance(free[$0], index) < distance(free[$1], index)
            }
            guard let nearest else { continue }
            // Alone, any thing must be the object; among several, only one close to its last place.
            if facts.objects.count == 1 || distance(free[nearest], index) < 0.15 {
                found[index] = free.remove(at: nearest)
            }
        }
        for (index, detection) in found.enumerated() {
            if let detection { last[index] = detection.centre }
        }
        return found
    }

    private func distance(_ detection: Detection, _ index: Int) -> Double {
        guard let last = last[index] else { return facts.objects.count == 1 ? 0 : .infinity }
        return length(detection.centre - last)
    }
}
