import FramePack
import Testing

private func plan(
    _ order: SamplingOrder, sections: Int, window: Int = 9, hasEndImage: Bool = false
) throws -> SectionPlan {
    try SectionPlan(
        order: order, length: .frames(4 * window * sections + 1), window: window,
        hasEndImage: hasEndImage, timeline: PromptTimeline("a"))
}

@Suite struct VideoLengthTests {
    @Test(arguments: [
        (0.1, 1), (1, 1), (1.8, 2), (2, 2), (3, 2), (4.2, 4), (5, 4), (10, 8), (20, 17), (30, 25),
        (60, 50), (120, 100),
    ])
    func secondsRoundHalfToEven(seconds: Double, sections: Int) throws {
        #expect(VideoLength.seconds(seconds).sectionCount(window: 9) == sections)
        for order in SamplingOrder.allCases {
            let plan = try SectionPlan(
                order: order, length: .seconds(seconds), timeline: PromptTimeline("a"))
            #expect(plan.windowCount == sections)
            #expect(plan.frameCount == 36 * sections + 1)
            #expect(plan.latentCount == 9 * sections + 1)
            #expect(plan.framesCutFromEnd == 0)
        }
    }

    @Test func framesAreExact() throws {
        for (frames, window) in [(1, 9), (2, 9), (37, 9), (38, 9), (100, 9), (73, 1), (150, 4)] {
            for (order, start) in [
                (SamplingOrder.inverted, StartSource.image), (.f1, .image), (.f1, .plain),
            ] {
                let plan = try SectionPlan(
                    order: order, length: .frames(frames), window: window, start: start,
                    timeline: PromptTimeline("a"))
                #expect(plan.frameCount == frames)
                #expect(plan.framesCutFromEnd < 4 * window || plan.sections.count == 1)
                #expect(plan.keptFrames.lowerBound == (start == .plain ? 1 : 0))
            }
        }
    }

    @Test func aWindowAddsFourFramesALatent() {
        #expect(VideoLength.frameCount(latents: 10) == 37)
        #expect(VideoLength.frameCount(latents: 9) == 33)
        #expect(VideoLength.seconds(5).sectionCount(window: 3) == 12)
        #expect(VideoLength.frames(38).sectionCount(window: 9) == 2)
    }
}

@Suite struct PlanLimitTests {
    @Test(arguments: [
        VideoLength.seconds(.nan), .seconds(0), .seconds(1e9), .frames(0), .frames(.max),
    ])
    func lengthsOutsideTheRangeAreRefused(length: VideoLength) {
        #expect(throws: FramePackError.self) {
            try SectionPlan(order: .f1, length: length, timeline: PromptTimeline("a"))
        }
    }

    @Test func windowsOutsideTheRangeAreRefused() {
        for window in [0, -1, 1001] {
            #expect(throws: FramePackError.self) {
                try SectionPlan(
                    order: .f1, length: .frames(10), window: window,
                    timeline: PromptTimeline("a"))
            }
        }
    }
}

@Suite struct InvertedPlanTests {
    @Test(arguments: [
        (1, [0]), (2, [1, 0]), (3, [2, 1, 0]), (4, [3, 2, 1, 0]), (5, [3, 2, 2, 1, 0]),
        (8, [3, 2, 2, 2, 2, 2, 1, 0]),
    ])
    func paddingsFollowTheRule(sections: Int, paddings: [Int]) throws {
        #expect(SectionPlan.paddings(sectionCount: sections) == paddings)
        #expect(try plan(.inverted, sections: sections).sections.map(\.padding) == paddings)
    }

    @Test func indicesAreTheReferences() throws {
        for section in try plan(.inverted, sections: 6).sections {
            let blank = 9 * (section.padding ?? 0)
            #expect(section.targetIndices == Array((1 + blank)...(9 + blank)))
            #expect(section.context[0].indices == [0, 10 + blank])
            #expect(section.context[1].indices == [11 + blank, 12 + blank])
            #expect(section.context[2].indices == Array((13 + blank)...(28 + blank)))
        }
    }

    @Test func historyRunsAwayFromTheSection() throws {
        let sections = try plan(.inverted, sections: 4).sections
        #expect(sections[0].pieces[0].latents == 28..<37)
        #expect(sections[0].context[0].sources == [.start, .zeros])
        #expect(sections[0].context[2].sources.allSatisfy { $0 == .zeros })
        #expect(sections[1].pieces[0].latents == 19..<28)
        #expect(sections[1].context[0].sources == [.start, .generated(28)])
        #expect(sections[1].context[1].sources == [.generated(29), .generated(30)])
        let far = (31...36).map { LatentSource.generated($0) } + Array(repeating: .zeros, count: 10)
        #expect(sections[1].context[2].sources == far)
    }

    @Test func decodedLatentsOverlapByOneWindow() throws {
        let sections = try plan(.inverted, sections: 3).sections
        #expect(sections.map(\.decodedLatents) == [19..<28, 10..<28, 0..<19])
        #expect(sections.map(\.overlapFrames) == [0, 33, 33])
        let single = try plan(.inverted, sections: 1).sections
        #expect(single.map(\.decodedLatents) == [0..<10])
    }

    @Test func anEndImageStandsAfterTheLastLatent() throws {
        let sections = try plan(.inverted, sections: 3, hasEndImage: true).sections
        #expect(sections[0].context[0].sources == [.start, .end])
        #expect(sections[0].context[1].sources == [.zeros, .zeros])
        #expect(sections[1].context.flatMap(\.sources).filter { $0 == .end }.count == 1)
        #expect(sections[1].context[2].sources[6] == .end)
        #expect(sections[2].context[2].sources.last == .end)
    }
}

@Suite struct ForwardPlanTests {
    @Test func indicesAreTheReferences() throws {
        for section in try plan(.f1, sections: 5).sections {
            #expect(section.padding == nil)
            #expect(section.targetIndices == Array(20...28))
            #expect(section.context[0].indices == [0, 19])
            #expect(section.context[1].indices == [17, 18])
            #expect(section.context[2].indices == Array(1...16))
        }
    }

    @Test func historyLeadsToTheSection() throws {
        let sections = try plan(.f1, sections: 4).sections
        #expect(sections[0].pieces[0].latents == 1..<10)
        #expect(sections[0].context[0].sources == [.start, .start])
        #expect(sections[0].context[1].sources == [.zeros, .zeros])
        #expect(sections[0].context[2].sources.allSatisfy { $0 == .zeros })
        #expect(sections[1].context[0].sources == [.start, .generated(9)])
        #expect(sections[1].context[1].sources == [.generated(7), .generated(8)])
        #expect(
            sections[1].context[2].sources
                == Array(repeating: .zeros, count: 9) + [.start]
                + (1...6).map { LatentSource.generated($0) })
        #expect(sections[3].context[2].sources == (9...24).map { LatentSource.generated($0) })
    }

    @Test func decodedLatentsOverlapByOneWindow() throws {
        let sections = try plan(.f1, sections: 3).sections
        #expect(sections.map(\.decodedLatents) == [0..<10, 1..<19, 10..<28])
        #expect(sections.map(\.overlapFrames) == [0, 33, 33])
    }

    @Test func anEndImageIsRefused() {
        #expect(throws: FramePackError.self) { try plan(.f1, sections: 2, hasEndImage: true) }
    }
}

/// What holds for every order, number of sections and window.
@Suite struct AnyPlanTests {
    static let windows = [1, 2, 3, 4, 9, 33]

    @Test(arguments: SamplingOrder.allCases, windows)
    func everyLatentIsGeneratedOnceFromWhatExists(order: SamplingOrder, window: Int) throws {
        for count in [1, 2, 3, 4, 5, 6, 13, 50] {
            let plan = try plan(order, sections: count, window: window)
            #expect(plan.windowCount == count)
            var existing: Set<Int> = []
            for section in plan.sections {
                for case .generated(let latent) in section.context.flatMap(\.sources) {
                    #expect(existing.contains(latent), "\(latent) is seen before it exists")
                }
                for piece in section.pieces {
                    #expect(existing.isDisjoint(with: piece.latents))
                    existing.formUnion(piece.latents)
                }
                #expect(existing.union([0]).isSuperset(of: section.decodedLatents))
            }
            #expect(existing == Set(1..<plan.latentCount))
        }
    }

    @Test(arguments: SamplingOrder.allCases, windows)
    func indicesOfASectionDiffer(order: SamplingOrder, window: Int) throws {
        for section in try plan(order, sections: 7, window: window).sections {
            let indices = section.context.flatMap(\.indices) + section.targetIndices
            #expect(Set(indices).count == indices.count)
            for group in section.context {
                #expect(group.indices == group.indices.sorted())
                #expect(group.indices.count == group.sources.count)
            }
        }
    }

    @Test(arguments: SamplingOrder.allCases, windows)
    func framesTileTheVideo(order: SamplingOrder, window: Int) throws {
        for count in 1...8 {
            let plan = try plan(order, sections: count, window: window)
            let inTime = plan.sections.sorted { $0.newFrames.lowerBound < $1.newFrames.lowerBound }
            #expect(inTime.flatMap { Array($0.newFrames) } == Array(0..<plan.decodedFrameCount))
            #expect(inTime.flatMap { Array($0.newLatents) } == Array(0..<plan.latentCount))
            let own = plan.sections.flatMap(\.pieces).sorted { $0.place < $1.place }
            #expect(own.flatMap { Array($0.frames) } == Array(0..<plan.decodedFrameCount))
            let joined = plan.sections.filter { !$0.decodedLatents.isEmpty }.reduce(0) {
                $0 + VideoLength.frameCount(latents: $1.decodedLatents.count) - $1.overlapFrames
            }
            #expect(joined == plan.decodedFrameCount)
        }
    }

    @Test(arguments: [1, 3, 4, 5, 20])
    func lengthsDoNotDependOnTheOrder(count: Int) throws {
        let inverted = try plan(.inverted, sections: count)
        let forward = try plan(.f1, sections: count)
        #expect(inverted.frameCount == forward.frameCount)
        #expect(
            inverted.sections.map(\.newFrames)
                == forward.sections.reversed().map(\.newFrames))
    }
}
