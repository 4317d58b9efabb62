import Foundation
import FramePack
import Models
import Testing

@Suite struct FlowScheduleTests {
    @Test(arguments: [(14040, 25, "seq14040_n25"), (3510, 5, "seq3510_n5")])
    func sigmasAreTheReferences(tokens: Int, steps: Int, name: String) throws {
        let golden = try ScheduleGolden().floats("\(name).sigmas")
        let schedule = FlowSchedule(tokenCount: tokens, stepCount: steps)
        let difference = largestDifference(schedule.sigmas, golden)
        print("\(name): largest difference \(difference)")
        #expect(difference <= 1e-6)
        #expect(schedule.stepCount == steps)
    }

    @Test func shiftIsCappedAtSeven() {
        #expect(abs(FlowSchedule.shift(tokenCount: 256) - exp(0.5)) < 1e-12)
        #expect(abs(FlowSchedule.shift(tokenCount: 4096) - exp(1.15)) < 1e-12)
        #expect(abs(FlowSchedule.shift(tokenCount: 1600) - 2.07) < 0.005)
        #expect(FlowSchedule.shift(tokenCount: 8797) < 7)
        #expect(abs(FlowSchedule.shift(tokenCount: 8799) - 7) < 1e-12)
        #expect(abs(FlowSchedule.shift(tokenCount: 1_000_000) - 7) < 1e-12)
    }

    @Test func everyReleasedBucketHasShiftSeven() {
        for size in Buckets.released.sizes {
            let tokens = PatchKernel(rate: 1).tokenCount(latents: 9, size: size)
            #expect(abs(FlowSchedule.shift(tokenCount: tokens) - 7) < 1e-12)
        }
    }

    @Test func anExplicitShiftReplacesTheRule() {
        #expect(
            FlowSchedule(tokenCount: 100, stepCount: 10, shift: 7)
                == FlowSchedule(tokenCount: 14040, stepCount: 10))
        let linear = FlowSchedule(tokenCount: 14040, stepCount: 4, shift: 1).sigmas
        #expect(largestDifference(linear, [1, 0.75, 0.5, 0.25, 0]) < 1e-6)
    }

    @Test(arguments: [1, 2, 3, 25, 100], [0.01, 1, 7, 100])
    func sigmasFallFromOneToZero(steps: Int, shift: Double) {
        let sigmas = FlowSchedule(tokenCount: 1, stepCount: steps, shift: shift).sigmas
        #expect(sigmas.first == 1)
        #expect(sigmas.last == 0)
        #expect(zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 })
    }
}
