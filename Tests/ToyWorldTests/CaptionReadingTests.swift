import Testing
import ToyWorld

@Suite struct CaptionReadingTests {
    @Test("Every caption of one object is read back as it was meant")
    func roundTrip() throws {
        var alone = WorldConfig.full
        (alone.eventProbability, alone.cameras, alone.objectCounts) = (0, [.fixed: 1], [1])
        for config in [WorldConfig.simple, alone] {
            for seed in 0..<400 as Range<UInt64> {
                let scene = Scene(seed: seed, side: 64, config: config)
                let wanted = try #require(scene.facts.objects.first)
                let captions = [scene.canonicalCaption] + scene.captions(count: 4)
                for caption in captions {
                    let found = try #require(
                        SceneFacts(caption: caption)?.objects.first, "\(caption)")
                    #expect(found.shape == wanted.shape, "\(caption)")
                    #expect(found.colour == wanted.colour, "\(caption)")
                    #expect(found.motion == wanted.motion, "\(caption)")
                }
            }
        }
    }

    @Test(
        "What is no caption of one object is not read",
        arguments: [
            "", "a girl dances", "a red circle", "a circle moves slowly to the right",
            "a red and green circle moves slowly to the right", "a red circle moves to the right",
            "a red circle moves slowly", "a red circle and a blue square stay still",
            "a red circle moves slowly left and vanishes after one second",
            "a red circle moves slowly left while the camera pans right and back",
        ])
    func others(_ caption: String) {
        #expect(SceneFacts(caption: caption) == nil)
    }
}
