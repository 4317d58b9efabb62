import Foundation
import FramePack
import Models
import Testing
import Torch

@Suite struct PlanReportTests {
    private func report(
        _ order: SamplingOrder, _ length: VideoLength, start: StartSource = .image,
        model: ModelSize? = ModelSize()
    ) throws -> PlanReport {
        let plan = try SectionPlan(
            order: order, length: length, start: start,
            timeline: PromptTimeline("[0s: A girl stands.] [2.5s: She dances.]"))
        return PlanReport(plan: plan, size: FrameSize(height: 480, width: 832), model: model)
    }

    @Test func itSaysWhatThePlanIs() throws {
        let report = try report(.inverted, .seconds(2))
        #expect(report.sectionCount == 2)
        #expect(report.frames == 73)
        #expect(report.sections.map(\.tokens) == [17966 + 729, 17966 + 729])
        #expect(report.sections.map(\.place) == [2, 1])
        #expect(report.sections[1].firstFrame == 0 && report.sections[1].lastFrame == 36)
        #expect(report.sections[0].firstFrame == 37 && report.sections[0].lastFrame == 72)
        #expect(report.sections[0].context[0].latents == ["start", "zeros"])
        #expect(report.sections[0].context.map(\.kernel) == ["k1", "k2", "k4"])
    }

    @Test func aPlainStartPictureIsCut() throws {
        let report = try report(.f1, .frames(40), start: .plain)
        #expect(report.frames == 40)
        #expect(report.framesCutFromStart == 1)
        #expect(report.framesCutFromEnd == 73 - 41)
        #expect(report.sections[0].firstFrame == 0 && report.sections[0].lastFrame == 35)
        #expect(report.sections[1].firstFrame == 36 && report.sections[1].lastFrame == 39)
    }

    @Test func anEndpointsPromptHoldsForItsSectionAlone() throws {
        let plan = try SectionPlan(
            order: .planned, length: .seconds(9.6),
            endpoints: [PlannedEndpoint(seconds: 4, text: "she bows")],
            timeline: PromptTimeline("[0s: she stands] [2.4s: she dances]"))
        let report = PlanReport(plan: plan, size: FrameSize(height: 320, width: 320), model: nil)
        #expect(report.prompts.map(\.isEndpoint) == [false, false, true])
        #expect(report.table.contains("Prompt 2, from 2.4 s: she dances"))
        #expect(report.table.contains("Prompt 3, for the section at 4 s: she bows"))
        #expect(report.sections.filter { $0.prompt == 3 }.count == 1)
    }

    @Test func orderOfTheHistoryIsTold() throws {
        let plan = try SectionPlan(
            order: .vanilla, length: .seconds(5), timeline: PromptTimeline("a"))
        func report(_ order: HistoryOrder) -> PlanReport {
            PlanReport(
                plan: plan, size: FrameSize(height: 320, width: 320), model: nil,
                historyOrder: order, historyTimeWeight: 0.5)
        }
        #expect(report(.time).historyTimeWeight == nil)
        #expect(!report(.time).table.contains("finest kernels"))
        #expect(report(.similarity).table.contains("The finest kernels go by similarity, which"))
        #expect(report(.similarity).historyTimeWeight == nil)
        let hybrid = report(.hybrid)
        #expect(hybrid.table.contains("by hybrid, nearness in time weighted by 0.5, which"))
        #expect(hybrid.historyTimeWeight == 0.5)
        let data = try JSONEncoder().encode(hybrid)
        #expect(String(decoding: data, as: UTF8.self).contains("\"historyOrder\":\"hybrid\""))
        #expect(hybrid.table.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func itSurvivesTheRoundTrip() throws {
        let report = try report(.f1, .frames(100))
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(PlanReport.self, from: data) == report)
    }

    @Test(arguments: SamplingOrder.allCases, [1.0, 5, 60, 3600])
    func theTableFitsEightyColumns(order: SamplingOrder, seconds: Double) throws {
        let lines = try report(order, .seconds(seconds)).table.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.count < 100)
    }

    @Test func theTableReadsAsExpected() throws {
        let table = try report(.inverted, .seconds(5), model: nil).table
        func blank(_ count: Int) -> String { String(repeating: "\u{B7}", count: count) }
        func far(_ count: Int) -> String { String(repeating: "\u{2592}", count: count) }
        let wanted = """
            145 frames of 832x480, 4.83 s at 30 fps
            4 sections of 9 latents (36 frames) in the order inverted, from an image
            Packing f1k1_x_g9_f1k1f2k2f16k4_td: 11.50 frames long
            5 s asked for, rounded to whole sections of 1.20 s; --frames is exact

             # place seconds  frames blank indices tokens prompt  sees
             1     4 3.6-4.8 109-144     3   28-36  18695      2  start zeros
             2     3 2.4-3.6  73-108     2   19-27  18695      2  start 28-36
             3     2 1.2-2.4   37-72     1   10-18  18695      1  start 19-36
             4     1 0.0-1.2    0-36     0     1-9  18695      1  start 10-28

            Context of each section, a character a latent
              #  generated, 1560 tokens a frame
              \u{2588}  k1, 1560 tokens a frame
              \u{2593}  k2, 195 tokens a frame
              \u{2592}  k4, 26 tokens a frame
              0  zeros, where nothing exists yet
              \u{B7}  skipped
                   1  \u{2588}\(blank(27))#########0000000000000000000
                   2  \u{2588}\(blank(18))#########\u{2588}\u{2593}\u{2593}\(far(6))0000000000
                   3  \u{2588}\(blank(9))#########\u{2588}\u{2593}\u{2593}\(far(15))0
                   4  \u{2588}#########\u{2588}\u{2593}\u{2593}\(far(16))

            Prompt 1, from 0 s: A girl stands.
            Prompt 2, from 2.5 s: She dances.
            """
        #expect(table == wanted)
    }
}

@Suite struct ModelSizeTests {
    @Test func releasedTransformerHasItsParameters() {
        let size = TransformerSize()
        #expect(size.doubleBlockParameters == 339_831_296)
        #expect(size.singleBlockParameters == 141_591_808)
        #expect(abs(Double(size.parameterCount) - 12.874e9) < 0.001e9)
        #expect(abs(Double(size.parameterCount * 2) - 25.75e9) < 0.01e9)
    }

    @Test func memoryIsCountedPartByPart() throws {
        let plan = try SectionPlan(
            order: .f1, length: .seconds(5), timeline: PromptTimeline("a"))
        let size = FrameSize(height: 480, width: 832)
        let memory = MemoryEstimate(plan: plan, size: size, model: ModelSize())
        let tokens = 17966 + 729 + 512
        #expect(memory.transformerActivations == 6 * tokens * 3072 * 2)
        var unfused = ModelSize()
        unfused.normsAreFused = false
        #expect(
            MemoryEstimate(plan: plan, size: size, model: unfused).transformerActivations
                == 10 * tokens * 3072 * 2)
        // Pieces of feed-forward count where they are most of the tokens.
        var chunks = MemoryChunks()
        chunks.tokens = 16384
        let pieces = MemoryEstimate(plan: plan, size: size, model: ModelSize(), chunks: chunks)
        #expect(pieces.transformerActivations == (4 * tokens + 12 * 16384) * 3072 * 2)
        #expect(memory.latents == 4 * 16 * 37 * 60 * 104)
        // A level of 256 channels that becomes one of 128, three pieces, 69 frames of pixels.
        let pixels = 4 * 3 * 69 * 480 * 832
        let level = (256 + 128) * 17 * 480 * 832 * 2
        #expect(memory.decoderActivations == level + 3 * (32 << 20) + pixels)
        var demand = MemoryDemand()
        demand.tiling = .referenceSpatial
        let tiled = MemoryEstimate(plan: plan, size: size, model: ModelSize(), demand: demand)
        #expect(
            tiled.decoderActivations == 384 * 17 * 256 * 256 * 2 + 3 * (32 << 20) + pixels)
        var plain = ModelSize()
        plain.decodesInPieces = false
        #expect(
            MemoryEstimate(plan: plan, size: size, model: plain).decoderActivations
                == 13 * 128 * 17 * 480 * 832 * 2 + pixels)
        #expect(memory.keptContext == 0)
        demand.keptContexts = 2
        let kept = MemoryEstimate(plan: plan, size: size, model: ModelSize(), demand: demand)
        // Of 17,966 video tokens 9 · 1,560 are the section's own.
        #expect(kept.keptContext == 2 * 60 * 2 * (17966 - 14040 + 729 + 512) * 3072 * 2)
        // In f32 everything but the encoders' weights takes twice as much.
        let wide = MemoryEstimate(
            plan: plan, size: size, model: ModelSize().computing(in: .uniform(.float32)))
        #expect(wide.transformerParameters == 2 * memory.transformerParameters)
        #expect(wide.decoderActivations == memory.decoderActivations + level)
        #expect(wide.encoderParameters == memory.encoderParameters)
    }

    @Test func whatStepsShareIsCountedOnce() throws {
        let plan = try SectionPlan(
            order: .f1, length: .seconds(5), timeline: PromptTimeline("a"))
        let size = FrameSize(height: 480, width: 832)
        let memory = MemoryEstimate(plan: plan, size: size, model: ModelSize())
        // 25 rows of a timestep's embedding, 12 modulations a double block, 3 a single one, 2 at the
        // end, and 512 tokens of text; the history's tokens and the phases of all.
        let context = 17966 - 14040 + 729 + 512
        #expect(
            memory.keptConditions
                == (25 * (1 + 240 + 120 + 2 + 512) + context) * 3072 * 2 + (17966 + 1241) * 128 * 4)
        var demand = MemoryDemand()
        (demand.steps, demand.branches) = (50, 2)
        let more = MemoryEstimate(plan: plan, size: size, model: ModelSize(), demand: demand)
        #expect(more.keptConditions == 512 << 20)
    }
}
