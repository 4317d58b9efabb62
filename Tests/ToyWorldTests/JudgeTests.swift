import Foundation
import Testing
import ToyWorld

@Suite struct JudgeTests {
    /// Scenes that together show every motion, event and camera movement.
    private static func summary(
        _ config: WorldConfig, count: Int, frames: Int, side: Int = 64, isSpoilt: Bool = false
    ) -> JudgeSummary {
        let reports = (0..<count).map { index in
            let scene = Scene(seed: UInt64(5000 + index), side: side, config: config)
            var video = scene.render(frames: 0..<frames)
            if isSpoilt { video = spoilt(video, side: side, seed: UInt64(index)) }
            return Judge().report(video: video, side: side, facts: scene.facts, scene: scene)
        }
        return JudgeSummary(reports)
    }

    /// The share of right verdicts, with a line that says so.
    private func expect(_ name: String, _ score: Score, atLeast least: Double = 0.99) {
        let share = score.share ?? 0
        print("judge, \(name): \(score.right) of \(score.judged) right")
        #expect(share >= least, "\(name): \(score.right) of \(score.judged)")
    }

    private func expectRight(_ name: String, _ summary: JudgeSummary) {
        let all = summary.overall
        expect("\(name) object", summary.objects)
        expect("\(name) presence", all.presence)
        expect("\(name) colour", all.colour)
        expect("\(name) shape", all.shape)
        expect("\(name) direction", all.direction)
        let error = all.positionError.value ?? 1
        print("judge, \(name) position error: \(error) sides; speed \(all.speed.value ?? 0)")
        #expect(error < 0.005)
        #expect(abs((all.speed.value ?? 0) - 1) < 0.05)
        #expect((summary.strangers.value ?? 1) < 0.01)
    }

    @Test func renderedVideosOfTheSimpleWorldAreRight() {
        expectRight("simple", JudgeTests.summary(.simple, count: 120, frames: 109))
    }

    @Test func renderedVideosOfTheFullWorldAreRight() {
        var config = WorldConfig.full
        config.eventProbability = 0.3
        let summary = JudgeTests.summary(config, count: 150, frames: 145)
        expectRight("full", summary)
        expect("full vanishing and appearing", summary.happens)
        expect("full colour change", summary.changesColour)
        #expect(summary.directionByMotion.count == MotionKind.allCases.count)
        for (kind, score) in summary.directionByMotion {
            // Some kinds are judged sixteen times here: one verdict is six percent.
            expect("full \(kind.rawValue)", score, atLeast: 0.93)
        }
    }

    @Test func largerPicturesAreJudgedAsWell() {
        expectRight("at 128", JudgeTests.summary(.full, count: 16, frames: 73, side: 128))
    }

    @Test func blurAndNoiseChangeNoVerdict() {
        expectRight(
            "blurred", JudgeTests.summary(.full, count: 60, frames: 73, isSpoilt: true))
    }

    @Test func blurLowersSharpness() throws {
        let clear = JudgeTests.summary(.simple, count: 8, frames: 37)
        let soft = JudgeTests.summary(.simple, count: 8, frames: 37, isSpoilt: true)
        let before = try #require(clear.overall.sharpness.value)
        let after = try #require(soft.overall.sharpness.value)
        print("sharpness: \(before) as drawn, \(after) blurred")
        #expect(after < 0.7 * before)
    }

    @Test func aLongVideoHasNoDrift() throws {
        let scene = Showcase.items(side: 64)[0].scene
        let report = Judge().report(
            video: scene.render(frames: 0..<1801), side: 64, facts: scene.facts, scene: scene)
        let object = try #require(report.objects.first)
        #expect(object.sections.count == 50)
        #expect(object.isRight == true)
        #expect(object.sections.allSatisfy { $0.hasDirection == true })
        for (metric, difference) in object.drift {
            #expect(difference < 0.05, "\(metric.rawValue)")
        }
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(VideoReport.self, from: data) == report)
    }

    /// A background that grows darker by a tenth from the first frame to the last.
    @Test func aBackgroundThatDarkensDrifts() throws {
        let scene = Showcase.items(side: 64)[0].scene
        var video = scene.render(frames: 0..<100)
        func drift() throws -> Double {
            let report = Judge().report(video: video, side: 64, facts: scene.facts)
            return try #require(report.objects.first?.drift[.background])
        }
        #expect(try drift() < 0.005)
        let frame = video.count / 100
        for index in video.indices {
            video[index] -= min(UInt8(index / frame * 26 / 100), video[index])
        }
        // Between the means of the first and the last 15 frames lie 85 of 100.
        #expect(abs(try drift() - 0.85 * 26 / 255) < 0.01)
    }

    // MARK: - Videos that break their promise

    private func actor(_ motion: Motion, event: Event? = nil) -> Actor {
        Actor(
            shape: .square, colour: .red, radius: 0.15, centre: SIMD2(0.4, 0.35), motion: motion,
            event: event)
    }

    private func scene(_ actor: Actor) -> Scene {
        let tone = RGB(60, 64, 70)
        return Scene(side: 64, background: Background(.plain, tone, tone), actors: [actor])
    }

    /// What a video of one object looks like to somebody who was promised another.
    private func report(shown: Actor, promised: Actor, frames: Int = 109) throws -> ObjectReport {
        let report = Judge().report(
            video: scene(shown).render(frames: 0..<frames), side: 64,
            facts: scene(promised).facts, scene: scene(promised))
        return try #require(report.objects.first)
    }

    @Test(arguments: [
        (Motion(.straight, .left, .slow), Motion(.straight, .right, .slow)),
        (Motion(.straight, .up, .quick), Motion(.straight, .right, .quick)),
        (Motion(.still), Motion(.straight, .down, .slow)),
        (Motion(.straight, .down, .slow), Motion(.still)),
        (Motion(.still), Motion(.bouncing, .left, .slow)),
        (Motion(.bouncing, .left, .slow), Motion(.bouncing, .up, .slow)),
        (Motion(.circling, .clockwise, .slow), Motion(.circling, .counterclockwise, .slow)),
        (Motion(.spinning, .clockwise, .quick), Motion(.spinning, .counterclockwise, .quick)),
        (Motion(.still), Motion(.spinning, .clockwise, .slow)),
        (Motion(.still), Motion(.growing, .larger, .slow)),
        (Motion(.bouncing, .left, .quick), Motion(.falling, .down)),
    ])
    func wrongMotionIsSeen(shown: Motion, promised: Motion) throws {
        let report = try report(shown: actor(shown), promised: actor(promised))
        #expect(report.isRight == true)
        for section in report.sections {
            #expect(section.hasDirection == false, "section \(section.section)")
        }
    }

    @Test func wrongFirstDirectionIsSeenInTheFirstSection() throws {
        let pairs: [(Motion, Motion)] = [
            (Motion(.bouncing, .left, .slow), Motion(.bouncing, .right, .slow)),
            (Motion(.growing, .smaller, .quick), Motion(.growing, .larger, .quick)),
        ]
        for (shown, promised) in pairs {
            let report = try report(shown: actor(shown), promised: actor(promised))
            #expect(report.sections.first?.hasDirection == false)
        }
    }

    @Test func wrongColourShapeAndAbsenceAreSeen() throws {
        let promised = actor(Motion(.still))
        var shown = promised
        shown.colour = .green
        var report = try report(shown: shown, promised: promised)
        #expect(report.isRight == false && report.sections.allSatisfy { $0.hasColour == false })
        shown = promised
        shown.shape = .triangle
        report = try self.report(shown: shown, promised: promised)
        #expect(report.isRight == false && report.sections.allSatisfy { $0.hasShape == false })
        shown.centre = SIMD2(-5, -5)
        report = try self.report(shown: shown, promised: promised)
        #expect(report.isRight == false && report.sections.allSatisfy { $0.isPresent == false })
    }

    @Test func eventsThatDoNotHappenAreSeen() throws {
        let still = Motion(.still)
        for kind in Event.Kind.allCases {
            let event = Event(kind, after: 2, newColour: kind == .changingColour ? .blue : nil)
            let late = Event(kind, after: 3, newColour: kind == .changingColour ? .blue : nil)
            for shown in [actor(still), actor(still, event: late)] {
                let report = try report(shown: shown, promised: actor(still, event: event))
                #expect((report.happensWhenTold ?? report.changesColourWhenTold) == false)
            }
            let right = actor(still, event: event)
            let report = try report(shown: right, promised: right)
            #expect((report.happensWhenTold ?? report.changesColourWhenTold) == true)
        }
    }

    @Test func placeIsComparedWithTheTruth() throws {
        var shown = actor(Motion(.still))
        shown.centre.x += 0.1
        let report = try report(shown: shown, promised: actor(Motion(.still)))
        let error = try #require(report.sections.first?.positionError)
        #expect(abs(error - 0.1) < 0.005)
    }
}
