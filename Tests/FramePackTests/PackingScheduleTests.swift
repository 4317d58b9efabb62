import FramePack
import Testing

@Suite struct PackingScheduleTests {
    @Test(arguments: [
        (416, 960, 14040, 3120, 390, 420, 17970), (448, 864, 13608, 3024, 378, 392, 17402),
        (480, 832, 14040, 3120, 390, 416, 17966), (512, 768, 13824, 3072, 384, 384, 17664),
        (544, 704, 13464, 2992, 374, 396, 17226), (576, 672, 13608, 3024, 378, 396, 17406),
        (608, 640, 13680, 3040, 380, 400, 17500),
    ])
    func tokenCountsAreTheReleasedOnes(
        height: Int, width: Int, target: Int, clean: Int, at2x: Int, at4x: Int, total: Int
    ) throws {
        let size = FrameSize(height: height, width: width)
        let turned = FrameSize(height: width, width: height)
        let plan = try SectionPlan(
            order: .inverted, length: .seconds(5), timeline: PromptTimeline("a"))
        for section in plan.sections {
            #expect(section.context.map { $0.tokenCount(size: size) } == [clean, at2x, at4x])
            #expect(section.videoTokenCount(size: size) == total)
            #expect(section.videoTokenCount(size: turned) == total)
        }
        #expect(PatchKernel(rate: 1).tokenCount(latents: 9, size: size) == target)
    }

    @Test func oddSizesArePaddedToWholeKernels() {
        let size = FrameSize(height: 80, width: 112)
        #expect(PatchKernel(rate: 1).tokenCount(latents: 3, size: size) == 3 * 5 * 7)
        #expect(PatchKernel(rate: 2).tokenCount(latents: 3, size: size) == 2 * 3 * 4)
        #expect(PatchKernel(rate: 4).tokenCount(latents: 17, size: size) == 5 * 2 * 2)
    }

    @Test func releasedScheduleRemembersNineteenLatents() {
        #expect(PackingSchedule.released.historyLength == 19)
        #expect(PatchKernel(rate: 4) == PatchKernel(frames: 4, height: 8, width: 8))
    }

    @Test(arguments: SamplingOrder.allCases)
    func otherSchedulesPlanToo(order: SamplingOrder) throws {
        let kernels = [1, 2, 4, 4].map { PatchKernel(rate: $0) }
        let levels = zip([1, 2, 4, 16], kernels).map { PackingLevel(latentCount: $0, kernel: $1) }
        let packing = PackingSchedule(levels: levels, startKernel: nil)
        let plan = try SectionPlan(
            order: order, length: .seconds(10), packing: packing, timeline: PromptTimeline("a"))
        for section in plan.sections {
            #expect(section.context.map(\.sources.count) == [1, 2, 4, 16])
            let indices = section.context.flatMap(\.indices) + section.targetIndices
            #expect(Set(indices).count == 9 + 23)
            #expect(!indices.contains(0))
        }
    }
}
