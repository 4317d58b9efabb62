import Testing
import ToyWorld

@Suite struct HeldOutTests {
    @Test func aNinthOfTheCombinationsIsHeldOut() {
        let combinations = combinations()
        let heldOut = combinations.filter(\.isHeldOut)
        let share = Double(heldOut.count) / Double(combinations.count)
        print("held out: \(heldOut.count) of \(combinations.count) combinations")
        #expect(abs(share - 1.0 / 9) < 0.01)
    }

    @Test func nothingIsHeldOutAsAWhole() {
        let trained = combinations().filter { !$0.isHeldOut }
        #expect(Set(trained.map(\.colour)) == Set(Colour.allCases))
        #expect(Set(trained.map(\.shape)) == Set(Shape.allCases))
        #expect(Set(trained.map(\.activity)).count == Set(combinations().map(\.activity)).count)
    }

    @Test func splitsContainOnlyTheirScenes() {
        for scene in scenes(200, split: .training) { #expect(!scene.isHeldOut) }
        for scene in scenes(200, split: .heldOut) { #expect(scene.isHeldOut) }
        let simple = (0..<3000).filter {
            Scene(seed: UInt64($0), side: 64, config: .simple).isHeldOut
        }
        #expect(abs(Double(simple.count) / 3000 - 1.0 / 9) < 0.03)
    }

    @Test func activitiesOfScenesAreListed() {
        for actor in scenes(300).flatMap(\.actors) {
            #expect(Actor.activities.contains(actor.activity))
        }
    }

    /// One object for each combination of colour, shape and activity.
    private func combinations() -> [Actor] {
        Colour.allCases.flatMap { colour in
            Shape.allCases.flatMap { shape in
                activities().map { motion, event in
                    Actor(
                        shape: shape, colour: colour, radius: 0.15, centre: SIMD2(0.5, 0.5),
                        motion: motion, event: event)
                }
            }
        }
    }

    private func activities() -> [(Motion, Event?)] {
        let motions = MotionKind.allCases.flatMap { kind -> [Motion] in
            let speed: Speed? = kind == .still || kind == .falling ? nil : .slow
            let directions = Direction.choices(for: kind)
            return directions.isEmpty
                ? [Motion(kind)] : directions.map { Motion(kind, $0, speed) }
        }
        return motions.map { ($0, nil) }
            + Event.Kind.allCases.map { (Motion(.still), Event($0, after: 1)) }
    }
}
