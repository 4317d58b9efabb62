import FramePack
import Models
import Testing

@Suite struct PackingTokenTests {
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

    @Test func tailsAreAFewTokens() {
        let size = FrameSize(height: 480, width: 832)
        let kernel = PatchKernel(rate: 4)
        #expect(kernel.tokenCount(latents: 10, size: size, averaging: .eachFrame) == 3)
        #expect(kernel.tokenCount(latents: 10, size: size, averaging: .allFrames) == 1)
        #expect(kernel.tokenCount(latents: 0, size: size, averaging: .allFrames) == 0)
    }
}

@Suite struct PackingNameTests {
    /// The paper's names, and others that follow from its grammar.
    static let names = [
        "td_f16k4f4k2f1k1_g9", "td_f16k4f2k2f1k1_g9", "td_f8k8f4k4f2k2f1k1_g9",
        "td_f16k4f4k2f1k1_g9_x_f1k1", "f1k1_x_g9_f1k1f4k2f16k4_td", "td_f16k4f4k2f1k1_g9+D",
        "ta_f16k4f4k2f1k1_g1", "tc_f16k4f4k2f1k1_g4", "f1k1_x_f16k4f2k2f1k1_g9", "f1k1_g9",
        "f1k1h4w4f3k1_g30", "f2k16f1k1_g9", "f1k1f4k2_x_f16k4f4k2f1k1_g9", "g9_x_f1k1",
        "f1k1_g9_f1k1", "f1k1_x_ta_f16k4f2k2f1k1_g9", "f1k1_x_f2k2_x_f1k1_g9",
        "f16k4f4k4f1k1h2w4_g9",
    ]

    @Test(arguments: names) func namesAreReadAndWritten(name: String) throws {
        let packing = try Packing(name: name)
        #expect(packing.name == name)
        #expect(try Packing(name: packing.name) == packing)
    }

    @Test func spellingsOfOneThingAreOne() throws {
        #expect(try Packing(name: "f1k1_g9+d") == Packing(name: "f1k1_g9+D"))
        #expect(try Packing(name: "f1k1h2w2f2k2h4w4_g9") == Packing(name: "f1k1f2k2_g9"))
    }

    @Test(arguments: [
        ("td_f16k4f4k2f1k1_g9", 10.75, 21), ("f1k1_x_g9_f1k1f4k2f16k4_td", 11.75, 21),
        ("td_f16k4f2k2f1k1_g9", 10.5, 19), ("td_f8k8f4k4f2k2f1k1_g9", 10.328125, 15),
        ("td_f16k4f4k2f1k1_g9_x_f1k1", 11.75, 21), ("f1k1h4w4_g1", 1.25, 1),
        ("f16k16_g4", 4.00390625, 16),
    ])
    func costsAreThePapers(name: String, cost: Double, remembered: Int) throws {
        let packing = try Packing(name: name)
        #expect(packing.contextCost == cost)
        #expect(packing.latentFramesRemembered == remembered)
        #expect(packing.limit == nil)
    }

    @Test func limitsAreThePapersBound() throws {
        // (S + λ/(λ − 1))·L with S = 9 and λ = 2.
        #expect(try Packing(name: "ta_f16k4f4k2f1k1_g9").limit == 11)
        #expect(try Packing(name: "f1k1_x_g9_f1k1f4k2f16k4_ta").limit == 12)
        #expect(try Packing(name: "tc_f16k4f4k2f1k1_g9").limit == 10.75)
        #expect(try Packing(name: "td_f16k4f4k2f1k1_g9").limit == nil)
        // Each side goes on by itself; a tail that is deleted adds nothing.
        #expect(try Packing(name: "ta_f1k1_g9_f1k1_ta").limit == 13)
        #expect(try Packing(name: "ta_f1k1_g9_f1k1_td").limit == 12)
        #expect(try Packing(name: "td_f1k1_g9_f1k1_tc").limit == 11)
        #expect(try Packing(name: "td_f1k1_g9_f1k1_td").limit == nil)
    }

    /// 2.625 = 2 + 1/2 + 1/8: of 1, 1/2, 1/4 and so on, 1/2 and 1/8 occur twice.
    @Test(arguments: [
        ("ta_f2k1h8w4f1k1h4w4f2k1h2w4f1k1_g1", 3.5),
        ("ta_f1k1h8w8f2k1h8w4f1k1h4w4f2k1h2w4f1k1_g1", 3.5625),
        ("ta_f1k1h16w8f1k1h8w8f2k1h8w4f1k1h4w4f2k1h2w4f1k1_g1", 3.59375),
    ])
    func anOverallRateIsASumOfPowersOfTwo(name: String, cost: Double) throws {
        let packing = try Packing(name: name)
        #expect(packing.contextCost == cost)
        // However many levels are written out, the bound is that of the endless sum.
        #expect(packing.limit == 1 + 2.625)
    }

    /// A level that is half as long as the last one leaves the bound where it is.
    @Test(arguments: [
        ("ta_f16k4f4k2f1k1_g9", "ta_f64k8f16k4f4k2f1k1_g9"),
        ("ta_f1k1h2w4f1k1_g9", "ta_f1k1h4w4f1k1h2w4f1k1_g9"),
        ("ta_f3k1h4w4f3k1_g9", "ta_f3k1h8w8f3k1h4w4f3k1_g9"),
    ])
    func boundsDoNotFallAsTheHistoryGrows(short: String, long: String) throws {
        #expect(try Packing(name: short).limit == Packing(name: long).limit)
    }

    @Test(arguments: [
        ("f1_k1_x_g9", 2, "f1k1_x_g9"),
        ("f1_k1_x_g9_f1k1f4k2f16k4_td", 2, "f1k1_x_g9_f1k1f4k2f16k4_td"),
        ("td_f16k4f4k2f1k1", 16, "td_f16k4f4k2f1k1_g9"),
        ("td_f16k4f4k2f1k1_g9_g9", 20, "td_f16k4f4k2f1k1_g9"), ("f0k1_g9", 1, "f1k1_g9"),
        ("f3k3_g9", 3, "f3k2_g9"), ("td_F16k4_g9", 3, "td_f16k4_g9"),
        ("f16k4_f1k1_g9", 5, "f16k4f1k1_g9"), ("td_f1k1g9", 7, "td_f1k1_g9"),
        ("k1f1_g9", 0, "f1k1_g9"), ("td_f1k1_g9+E", 10, "td_f1k1_g9+D"),
        ("td__f1k1_g9", 3, "td_f1k1_g9"), ("f1k1_g9_", 8, "f1k1_g9"),
        ("tb_f1k1_g9", 0, "td_f1k1_g9"),
        // Several slips in one name.
        ("f1_k1", 2, "f1k1_g9"), ("tb_f1_k1_g9", 0, "td_f1k1_g9"),
        ("f1_k1_x_g9_f1_k1_f4_k2_f16_k4_td", 2, "f1k1_x_g9_f1k1f4k2f16k4_td"),
        ("f1k1_x_g9_f1_k1_f4_k2_f16_k4_td", 12, "f1k1_x_g9_f1k1f4k2f16k4_td"),
        ("f16_k4_f1_k1_g9", 3, "f16k4f1k1_g9"),
        ("td_f16k4_f4k2_f1k1", 18, "td_f16k4f4k2f1k1_g9"),
        ("td_f16k4_f4k2_f1k1_g9", 8, "td_f16k4f4k2f1k1_g9"),
        ("tdf16k4f4k2f1k1g9", 2, "td_f16k4f4k2f1k1_g9"),
        ("td f16k4 f4k2 f1k1 g9 +d", 2, "td_f16k4f4k2f1k1_g9+D"),
        ("k4f16_f1k1_g9", 0, "f16k4f1k1_g9"),
        // Something is missing.
        ("g9", 0, "f1k1_g9"), ("td_g9", 3, "td_f1k1_g9"), ("td_k1_g9", 3, "td_f1k1_g9"),
        ("f1k1h2_g9", 6, "f1k1_g9"), ("f1k1_g9+", 7, "f1k1_g9+D"),
        // Something stands where it cannot, or twice.
        ("f1k1_td_g9", 5, "td_f1k1_g9"), ("f1k1_x_td_g9_x_f1k1", 7, "td_f1k1_x_g9_x_f1k1"),
        ("x_f1k1_g9", 0, "f1k1_g9"), ("f1k1_x_x_g9", 5, "f1k1_x_g9"), ("f1k1_g9_x", 8, "f1k1_g9"),
        ("td_f1k1_g9+D+D", 10, "td_f1k1_g9+D"), ("td_f1k1_g9_td_td", 11, "td_f1k1_g9"),
        ("td_td_f1k1_g9", 3, "td_f1k1_g9"), ("td_f1k1_g9_g4_g9", 11, "td_f1k1_g9"),
    ])
    func slipsArePointedAtAndMended(name: String, offset: Int, suggestion: String) throws {
        let error = try #require(throws: PackingNameError.self) { try Packing(name: name) }
        #expect(error.offset == offset, "\(error)")
        #expect(error.suggestion == suggestion)
        #expect(error.description.contains("did you mean \(suggestion)?"))
        let lines = error.description.split(separator: "\n")
        #expect(lines.last?.count == offset + 3)
    }

    /// However a name's parts are joined, they are recognised.
    @Test(arguments: names) func partsTakenApartAreMended(name: String) throws {
        let apart = name.replacing(/[kx]/) { "_\($0.output)" }.replacing("f", with: "-f")
            .uppercased()
        #expect(throws: PackingNameError.self) { try Packing(name: apart) }
        let error = #expect(throws: PackingNameError.self) { try Packing(name: apart) }
        #expect(error?.suggestion == (try Packing(name: name).name), "\(apart)")
    }

    @Test func nothingIsSuggestedForWhatIsNoPacking() {
        for name in ["an ordinary sentence", "f1k1_g9 please", "", "vanilla"] {
            let error = #expect(throws: PackingNameError.self) { try Packing(name: name) }
            #expect(error?.suggestion == nil, "\(name)")
        }
    }

    @Test(arguments: [
        "", "_", "+D", "g9", "f1k1", "f1k1_g0", "f1k0_g9", "f99999k1_g9", "f1k1_g1001", "f1k1_x",
        "x_f1k1_g9", "f1k1_x_x_g9", "td_td_f1k1_g9", "f1k1_td_g9", "f1k1h2_g9", "f1k1h3w2_g9",
        "f1k1_g9+D+D", "f1k1_g9 ", "f\u{661}k1_g9", "f18446744073709551616k1_g9",
    ])
    func otherTextsAreNoNames(name: String) {
        #expect(throws: PackingNameError.self) { try Packing(name: name) }
    }

    @Test(arguments: [
        ("td_f16k4f4k2f1k1_g9", SamplingOrder.vanilla),
        ("td_f16k4f4k2f1k1_g9_x_f1k1", .antiDrifting), ("f1k1_x_g9_f1k1f4k2f16k4_td", .inverted),
        ("f1k1_x_f16k4f2k2f1k1_g9", .f1),
    ])
    func namesTellTheirOrder(name: String, order: SamplingOrder) throws {
        let packing = try Packing(name: name)
        #expect(packing.order == order)
        #expect(packing.adapted(to: order) == packing)
    }

    @Test func everyPackingServesEveryOrder() throws {
        let names: [SamplingOrder: String] = [
            .vanilla: "td_f16k4f4k2f1k1_g9", .f1: "f1k1_x_f16k4f4k2f1k1_g9",
            .antiDrifting: "td_f16k4f4k2f1k1_g9_x_f1k1", .planned: "td_f16k4f4k2f1k1_g9_x_f1k1",
            .inverted: "f1k1_x_g9_f1k1f4k2f16k4_td",
        ]
        for from in names.values {
            for (order, name) in names {
                // What is made for both ends serves planned ends as it is.
                #expect(try Packing(name: from).adapted(to: order).name == name, "\(from)")
            }
        }
        #expect(Packing.released(.inverted).name == "f1k1_x_g9_f1k1f2k2f16k4_td")
        #expect(Packing.released(.f1).name == "f1k1_x_f16k4f2k2f1k1_g9")
    }

    /// Whatever the name, its levels, its window and +D serve the order, by a name that can be read.
    @Test(arguments: names + ["ta_f1k1_g9_f2k2f1k1_tc", "f1k1_x_g9", "f1k1_g9_x_f2k2_td"])
    func anyPackingServesAnyOrder(name: String) throws {
        let packing = try Packing(name: name)
        for order in SamplingOrder.allCases {
            let adapted = packing.adapted(to: order)
            #expect(try Packing(name: adapted.name) == adapted)
            #expect(adapted.order == (order == .planned ? .antiDrifting : order), "\(adapted)")
            #expect(adapted.adapted(to: order) == adapted)
            #expect(adapted.window == packing.window && adapted.isDiscrete == packing.isDiscrete)
            // Beside them stands at most the order's own anchor, a frame in full.
            let anchor = PackingLevel(latentCount: 1, kernel: PatchKernel(rate: 1))
            let known = Set(packing.levels + [anchor])
            #expect(known.isSuperset(of: adapted.levels), "\(adapted)")
            #expect(!adapted.levels.isEmpty)
        }
    }

    @Test func vanillaOrderHasNoAnchors() throws {
        for name in ["f1k1_x_f16k4f2k2f1k1_g9", "f1k1f4k2_x_f16k4f2k2f1k1_g9"] {
            let packing = try Packing(name: name)
            #expect(packing.adapted(to: .f1) == packing)
            #expect(packing.adapted(to: .vanilla).name == "td_f16k4f2k2f1k1_g9")
        }
        // A tail goes along, and each side has its own.
        let both = try Packing(name: "ta_f2k2f1k1_g9_f1k1_tc")
        #expect(both.adapted(to: .vanilla).name == "ta_f2k2f1k1_g9")
        #expect(both.adapted(to: .inverted).name == "f1k1_x_g9_f1k1f2k2_ta")
    }

    @Test func kernelsAreNamedFinestFirst() throws {
        let packing = try Packing(name: "td_f8k8f4k4f2k2f1k1_g9")
        #expect(packing.kernels.map(\.description) == ["k1", "k2", "k4", "k8"])
    }
}

/// Sampling orders over packings of every kind.
@Suite struct PackingPlanTests {
    private func plan(_ name: String, _ order: SamplingOrder, sections: Int) throws -> SectionPlan {
        let packing = try Packing(name: name)
        return try SectionPlan(
            order: order, length: .frames(4 * packing.window * sections + 1),
            window: packing.window, packing: packing, timeline: PromptTimeline("a"))
    }

    @Test(arguments: PackingNameTests.names, SamplingOrder.allCases)
    func everySectionSeesOnlyWhatExists(name: String, order: SamplingOrder) throws {
        for sections in [1, 2, 3, 6, 9] {
            let plan = try plan(name, order, sections: sections)
            var existing: Set<Int> = []
            for section in plan.sections {
                let seen = section.context.flatMap(\.sources).compactMap { source -> Int? in
                    if case .generated(let number) = source { number } else { nil }
                }
                #expect(existing.isSuperset(of: seen), "\(plan.packing)")
                for piece in section.pieces { existing.formUnion(piece.latents) }
                let indices = section.context.flatMap(\.indices) + section.targetIndices
                #expect(Set(indices).count == indices.count, "\(plan.packing)")
                #expect(indices.min() == 0)
            }
            #expect(existing == Set(1..<plan.latentCount))
        }
    }

    @Test func antiDriftingMakesBothEndsFirst() throws {
        let plan = try plan("td_f16k4f4k2f1k1_g9_x_f1k1", .antiDrifting, sections: 4)
        #expect(plan.sections.map { $0.pieces.map(\.place) } == [[0, 3], [1], [2]])
        // Two windows are left out between both ends.
        let first = plan.sections[0]
        #expect(first.targetIndices == Array(21...29) + Array(48...56))
        #expect(first.latentCount == 18 && first.padding == 2)
        // The nearest later latent stands beyond one blank window, then right beside the section.
        let anchors = plan.sections.dropFirst().map { section in
            section.context[0].sources.last.map { ($0, section.context[0].indices.last ?? 0) }
        }
        #expect(anchors[0]?.0 == .generated(28) && anchors[0]?.1 == 39)
        #expect(anchors[1]?.0 == .generated(28) && anchors[1]?.1 == 30)
        // Frames are finished in time order: both last windows with the last section.
        #expect(plan.sections.map(\.newFrames) == [0..<37, 37..<73, 73..<145])
    }

    @Test func differentPromptsMakeTheEndsOneByOne() throws {
        let plan = try SectionPlan(
            order: .antiDrifting, length: .frames(145),
            timeline: PromptTimeline("[0s: a] [4s: b]"))
        #expect(plan.sections.map { $0.pieces.map(\.place) } == [[0], [3], [1], [2]])
        #expect(plan.prompt(of: plan.sections[1]) == "b")
        #expect(plan.sections[1].padding == 2)
    }

    @Test func plannedEndpointsComeFirst() throws {
        let endpoints = [
            PlannedEndpoint(seconds: 3, text: "the middle"), PlannedEndpoint(seconds: 7.1),
        ]
        let plan = try SectionPlan(
            order: .planned, length: .frames(36 * 6 + 1), endpoints: endpoints,
            timeline: PromptTimeline("a"))
        #expect(plan.sections.map(\.place) == [2, 5, 0, 1, 3, 4])
        #expect(plan.prompt(of: plan.sections[0]) == "the middle")
        #expect(plan.prompt(of: plan.sections[1]) == "a")
        // The second endpoint sees the first one, beyond blank windows.
        let history = plan.sections[1].context[0]
        #expect(history.sources.first == .generated(27))
        #expect(plan.sections.map(\.newFrames.count) == [0, 0, 37, 72, 36, 72 - 36 + 36])
    }

    @Test func endpointsAreChecked() {
        for (order, seconds) in [(SamplingOrder.planned, -1.0), (.planned, 99), (.f1, 1)] {
            #expect(throws: FramePackError.self) {
                try SectionPlan(
                    order: order, length: .frames(73),
                    endpoints: [PlannedEndpoint(seconds: seconds)], timeline: PromptTimeline("a"))
            }
        }
    }

    @Test func tailsHoldWhatLevelsForget() throws {
        let plan = try plan("ta_f2k2f1k1_g9", .vanilla, sections: 3)
        let tail = try #require(plan.sections[2].context.last)
        #expect(tail.averaging == .eachFrame && tail.roles.allSatisfy { $0 == .tail })
        #expect(tail.sources == [.start] + (1...15).map { .generated($0) })
        #expect(plan.sections[0].context.allSatisfy { $0.averaging == nil })
        let compressed = try self.plan("tc_f2k2f1k1_g9", .vanilla, sections: 3)
        #expect(compressed.sections[2].context.last?.averaging == .allFrames)
        // A tail lies between the history and the anchor that stands before it.
        let anchored = try self.plan("f1k1_x_ta_f2k2f1k1_g9", .f1, sections: 3)
        let last = anchored.sections[2].context
        #expect(last.last?.sources == (1...15).map { .generated($0) })
        #expect(last[0].sources == [.start, .generated(18)])
    }

    @Test func eachSideHasItsOwnTail() throws {
        let plan = try plan("ta_f1k1_g9_f1k1_tc", .antiDrifting, sections: 4)
        // The second of four windows sees the first before it and the last one after it.
        let tails = plan.sections[1].context.filter { $0.averaging != nil }
        #expect(Set(tails.map(\.averaging)) == [.eachFrame, .allFrames])
        for tail in tails {
            let latents = tail.sources.map(\.description).compactMap { Int($0) }
            #expect(
                latents == (tail.averaging == .eachFrame ? Array(1...8) : Array(29...36)), "\(tail)"
            )
        }
    }

    @Test func symmetricPackingShowsTheBeginningToo() throws {
        let plan = try plan("f1k1f4k2_x_f16k4f4k2f1k1_g9", .f1, sections: 5)
        let sources = plan.sections[4].context.flatMap { zip($0.sources, $0.roles) }
        let anchors = sources.filter { $0.1 == .anchor }.map(\.0)
        #expect(anchors == [.start, .generated(1), .generated(2), .generated(3), .generated(4)])
    }
}
