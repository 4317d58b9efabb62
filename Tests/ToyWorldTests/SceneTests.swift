import Foundation
import Testing
import ToyWorld

/// Random scenes of both configurations.
func scenes(_ count: Int, side: Int = 64, split: Split = .any) -> [Scene] {
    (0..<count).map { index in
        Scene(
            seed: UInt64(index), side: side, config: index % 2 == 0 ? .full : .simple, split: split)
    }
}

@Suite struct SceneTests {
    @Test func generatorGivesTheNumbersOfItsPaper() {
        var random = SplitMix64(seed: 0)
        #expect(random.next() == 0xE220_A839_7B1D_CDAF)
        #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    }

    @Test func sameSeedGivesSameSceneVideoAndCaptions() {
        for seed in UInt64(0)..<40 {
            let first = Scene(seed: seed, side: 64, config: .full)
            let second = Scene(seed: seed, side: 64, config: .full)
            #expect(first == second)
            #expect(first.render(frames: 0..<3) == second.render(frames: 0..<3))
            #expect(first.captions(count: 4) == second.captions(count: 4))
        }
        #expect(Set(scenes(50)).count == 50)
    }

    @Test func sizeChangesOnlyTheDrawing() {
        for seed in UInt64(0)..<20 {
            var large = Scene(seed: seed, side: 128, config: .full)
            large.side = 64
            #expect(large == Scene(seed: seed, side: 64, config: .full))
        }
    }

    @Test func framesAreTheSameAloneAndTogether() {
        for scene in scenes(60) {
            let together = scene.render(frames: 20..<50)
            var alone = [UInt8](repeating: 0, count: scene.frameBytes)
            for frame in [20, 33, 49] {
                alone.withUnsafeMutableBufferPointer { scene.render(frame: frame, into: $0) }
                let start = (frame - 20) * scene.frameBytes
                #expect(Array(together[start..<start + scene.frameBytes]) == alone)
            }
        }
    }

    @Test func maskLiesWhereTheStatesSay() throws {
        var worst = 0.0
        for scene in scenes(300) where scene.actors.count == 1 {
            for frame in [0, 17, 58, 301, 1800] {
                let state = try #require(scene.state(frame: frame).first)
                guard state.opacity == 1, let place = state.visibleCentre else { continue }
                let (mass, centre) = moments(scene.objectMask(frame: frame), side: scene.side)
                worst = max(worst, distance(centre, place))
                guard state.visibleFraction > 0.995 else { continue }
                worst = max(worst, distance(centre, state.centre))
                let area = state.shape.area * state.radius * state.radius
                #expect(abs(mass / area - 1) < 0.06, "\(scene.canonicalCaption)")
            }
        }
        print("largest distance between mask and state: \(worst) pixels")
        #expect(worst < 0.5)
    }

    @Test func maskCoversWhatDiffersFromTheBackground() {
        for scene in scenes(40) where scene.camera == .fixed && scene.actors.count == 1 {
            var empty = scene
            empty.actors[0].centre = SIMD2(-9, -9)
            empty.actors[0].motion = Motion(.still)
            let with = scene.startPicture
            let without = empty.startPicture
            let mask = scene.objectMask(frame: 0)
            for pixel in mask.indices {
                let difference = (0..<3).map { channel in
                    abs(Int(with[3 * pixel + channel]) - Int(without[3 * pixel + channel]))
                }.max()
                #expect((difference ?? 0) == 0 || mask[pixel] > 0)
                #expect((difference ?? 0) > 40 || mask[pixel] < 0.9)
            }
        }
    }

    @Test func velocityIsTheWayToTheNextFrame() {
        var worst = 0.0
        for scene in scenes(80) {
            for frame in stride(from: 5, to: 300, by: 41) {
                let now = scene.state(frame: frame)
                let next = scene.state(frame: frame + 1)
                for (before, after) in zip(now, next) {
                    let way = after.centre - before.centre
                    // Turning around and coming in again on the other side are no straight ways.
                    let turns = (way * before.velocity).sum() < 0
                    guard !turns, distance(way, .zero) < 20 else { continue }
                    worst = max(worst, distance(way, before.velocity))
                }
            }
        }
        print("largest difference from the velocity: \(worst) pixels per frame")
        #expect(worst < 0.2)
    }

    @Test func objectsAreNeverHiddenForLong() {
        for scene in scenes(200) {
            let isTimed = scene.actors.contains { $0.event != nil }
            guard !isTimed else { continue }
            var hidden = scene.actors.map { _ in 0 }
            for frame in 0..<300 {
                for (index, state) in scene.state(frame: frame).enumerated() {
                    hidden[index] = state.visibleFraction < 0.1 ? hidden[index] + 1 : 0
                    #expect(hidden[index] < 45, "\(scene.canonicalCaption)")
                }
            }
        }
    }

    @Test func startPictureShowsEveryObjectWhole() {
        for scene in scenes(300) {
            for (actor, state) in zip(scene.actors, scene.state(frame: 0))
            where actor.event?.kind != .appearing && scene.camera == .fixed {
                #expect(state.opacity == 1)
                #expect(state.visibleFraction > 0.97, "\(scene.canonicalCaption)")
            }
        }
    }

    @Test func backgroundsStayAwayFromObjectColours() {
        for scene in scenes(300) {
            for tone in [scene.background.first, scene.background.second] {
                let channels = [tone.red, tone.green, tone.blue].map(Int.init)
                let spread = (channels.max() ?? 0) - (channels.min() ?? 0)
                #expect(spread <= 38 && (channels.max() ?? 0) <= 195)
            }
        }
    }

    @Test func sceneAndConfigurationSurviveJSON() throws {
        for scene in scenes(30) {
            let data = try JSONEncoder().encode(scene)
            #expect(try JSONDecoder().decode(Scene.self, from: data) == scene)
        }
        let data = try JSONEncoder().encode(WorldConfig.full)
        #expect(try JSONDecoder().decode(WorldConfig.self, from: data) == .full)
        let text = try #require(String(bytes: data, encoding: .utf8))
        #expect(text.contains("\"triangle\":1"))
    }

    private func moments(_ mask: [Float], side: Int) -> (mass: Double, centre: SIMD2<Double>) {
        var mass = 0.0
        var moment = SIMD2(0.0, 0.0)
        for (pixel, share) in mask.enumerated() {
            mass += Double(share)
            moment +=
                SIMD2(Double(pixel % side) + 0.5, Double(pixel / side) + 0.5) * Double(share)
        }
        return (mass, moment / max(mass, 1e-9))
    }
}

func distance(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
    let difference = a - b
    return (difference * difference).sum().squareRoot()
}
