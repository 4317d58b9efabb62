import FramePack
import Testing

@Suite struct PromptTimelineTests {
    @Test func aPlainPromptHoldsThroughout() throws {
        let timeline = try PromptTimeline("A sign that says [hello] at 3s: nice")
        #expect(timeline.prompts.map(\.text) == ["A sign that says [hello] at 3s: nice"])
        #expect(timeline.promptNumber(from: 0, to: 1) == 0)
        #expect(timeline.promptNumber(from: 100, to: 101) == 0)
    }

    @Test func marksAreTakenApart() throws {
        let timeline = try PromptTimeline("[0s: a girl stands] [2.5s: she dances, happily ]")
        #expect(timeline.prompts.map(\.seconds) == [0, 2.5])
        #expect(timeline.prompts.map(\.text) == ["a girl stands", "she dances, happily"])
        let mixed = try PromptTimeline(
            "she stands [4s:she sits]", at: [TimedPrompt(seconds: 2, text: "she walks")])
        #expect(mixed.prompts.map(\.text) == ["she stands", "she walks", "she sits"])
    }

    @Test(arguments: [
        "", "  ", "[0s: a", "[0s: a] then", "[1s: a]", "[0s: a] [0s: b]", "[0s: ]", "[-1s: a]",
        "[0s: a [1s: b]]", "[1.2.3s: a]",
    ])
    func malformedMarksAreRefused(text: String) {
        #expect(throws: FramePackError.self) { try PromptTimeline(text) }
    }

    @Test func timesMustBeNumbers() {
        for seconds in [-1, Double.nan, .infinity] {
            #expect(throws: FramePackError.self) {
                try PromptTimeline("a", at: [TimedPrompt(seconds: seconds, text: "b")])
            }
        }
    }

    @Test(arguments: SamplingOrder.allCases)
    func sectionsTakeThePromptThatCoversThemMost(order: SamplingOrder) throws {
        let timeline = try PromptTimeline("[0s: a] [1.9s: b] [3.6s: c]")
        let plan = try SectionPlan(order: order, length: .seconds(5), timeline: timeline)
        let inTime = plan.sections.sorted { $0.place < $1.place }
        // One call has one prompt, so that no two places are generated together.
        // Sections are 0-1.2, 1.2-2.4, 2.4-3.6, 3.6-4.8 seconds.
        #expect(inTime.map { plan.prompt(of: $0) } == ["a", "a", "b", "c"])
    }

    @Test func onATieTheEarlierHolds() throws {
        let timeline = try PromptTimeline("[0s: a] [1s: b]")
        #expect(timeline.promptNumber(from: 0.5, to: 1.5) == 0)
        #expect(timeline.promptNumber(from: 0.6, to: 1.6) == 1)
    }
}
