import Foundation
import FramePack
import Testing
import Torch

@Suite struct MemoryPlanTests {
    private static func request(_ width: Int = 640, _ height: Int = 608) -> GenerationRequest {
        var request = GenerationRequest(prompt: "a")
        (request.width, request.height) = (width, height)
        return request
    }

    /// The released model's plan within a budget that counts as free, so that nothing is refused.
    private static func plan(
        _ device: Device, _ bound: MemoryBudget, _ request: GenerationRequest = request()
    ) throws -> MemoryPlan {
        try #require(
            PlanReport.released(request, on: device, free: bound).memoryPlan)
    }

    private static let gigabyte = 1 << 30

    @Test func aCPUReadsTheFilesPages() throws {
        let plan = try Self.plan(.cpu, MemoryBudget())
        #expect(plan.transformer == .mapped && plan.textEncoders == .mapped)
        #expect(plan.chunks == MemoryChunks())
        #expect(plan.devicePeak == 0)
        #expect(plan.fits)
        // A type other than the files' is a copy, and comes piece by piece where that is too much.
        var request = Self.request()
        request.dtype = .f32
        #expect(try Self.plan(.cpu, MemoryBudget(), request).transformer == .resident)
        let small = try Self.plan(.cpu, MemoryBudget(machine: 16 * Self.gigabyte), request)
        guard case .streamed(let ring, let resident) = small.transformer else {
            Issue.record("\(small.transformer)")
            return
        }
        #expect(ring >= 4 * 6 * 3072 * 3072)
        #expect(resident > 0 && resident < 12 * Self.gigabyte)
        #expect(small.machinePeak <= 16 * Self.gigabyte && small.fits)
    }

    @Test("The smaller the card, the less stays on it, and never more than there is")
    func cards() throws {
        var stays: [Int] = []
        var tiled = Self.request()
        tiled.tiling = true
        for size in [80, 24, 16, 12, 8, 6, 3] {
            let plan = try Self.plan(
                .cuda(), MemoryBudget(device: size * Self.gigabyte), tiled)
            #expect(plan.fits, "\(size) GiB")
            #expect(plan.devicePeak <= size * Self.gigabyte)
            switch plan.transformer {
            case .resident: stays.append(.max)
            case .streamed(_, let resident): stays.append(resident)
            case .mapped: Issue.record("a GPU computes on its own memory")
            }
        }
        #expect(stays[0] == .max)
        #expect(stays[1] < .max && stays[1] > 10 * Self.gigabyte)
        #expect(zip(stays, stays.dropFirst()).allSatisfy { $0 >= $1 })
        // What is free of a card of 2 GiB holds the streamed transformer, context and all.
        let least = try Self.plan(
            .cuda(), MemoryBudget(device: 2_000_000_000), tiled)
        let sampling = try #require(least.stages.first { $0.stage == .sample })
        #expect(sampling.device <= 2_000_000_000)
        #expect(!least.keepsVAE)
    }

    @Test func textEncodersPassThroughASmallCard() throws {
        let bound = MemoryBudget(device: 6 * Self.gigabyte)
        #expect(try Self.plan(.cuda(), MemoryBudget()).textEncoders == .resident)
        guard case .streamed(_, 0) = try Self.plan(.cuda(), bound).textEncoders else {
            Issue.record("15 GB do not fit in 6")
            return
        }
    }

    @Test("Of RAM everything is given up before a plan does not fit, and what is given up is told")
    func relief() throws {
        var before = MemoryChunks()
        var wasGivenUp = false
        for megabytes in stride(from: 8000, through: 5400, by: -100) {
            let bound = MemoryBudget(machine: megabytes * 1_000_000)
            let plan = try Self.plan(.cpu, bound)
            guard plan.fits else { continue }
            #expect(plan.machinePeak <= megabytes * 1_000_000)
            let chunks = plan.chunks
            #expect(chunks.keptFreed <= before.keptFreed && chunks.tokens <= before.tokens)
            #expect(chunks.decoding <= before.decoding)
            wasGivenUp = wasGivenUp || chunks != before
            before = chunks
        }
        #expect(wasGivenUp)
    }

    @Test func aBudgetIsKeptOrRefusedWithWhatWouldFit() throws {
        let budget = MemoryBudget(machine: 2 * Self.gigabyte)
        let error = #expect(throws: FramePackError.self) {
            try PlanReport.released(Self.request(), on: .cpu, budget: budget)
        }
        guard case .memoryBudget(let shortage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(shortage.stage == .decode && !shortage.isDevice)
        #expect(shortage.budget == 2 * Self.gigabyte && shortage.needed > shortage.budget)
        #expect(shortage.remedies.first == "--tiling")
        #expect(shortage.description.contains("--ram allows 2.00 GiB"))
        // What is named fits.
        var tiled = Self.request()
        tiled.tiling = true
        let plan = try PlanReport.released(tiled, on: .cpu, budget: budget).memoryPlan
        #expect(plan?.fits == true)
        // Nothing fits in the memory that a process takes by itself.
        let none = #expect(throws: FramePackError.self) {
            try PlanReport.released(
                Self.request(), on: .cpu, budget: MemoryBudget(machine: 100_000_000))
        }
        #expect(none?.description.contains("No smaller setting would fit") == true)
    }

    @Test(
        arguments: [
            ("6GB", 6_000_000_000), ("6GiB", 6 << 30), ("800MB", 800_000_000), ("1.5gib", 3 << 29),
            ("6", nil), ("GB", nil), ("-1GB", nil), ("0GB", nil), ("6 TB", nil), ("nanGB", nil),
        ] as [(String, Int?)])
    func amounts(_ text: String, _ bytes: Int?) { #expect(MemoryBudget.bytes(text) == bytes) }

    @Test func aPlanSurvivesJSON() throws {
        for bound in [MemoryBudget(), MemoryBudget(device: 6 << 30, machine: 8 << 30)] {
            let plan = try Self.plan(.cuda(), bound)
            let data = try JSONEncoder().encode(plan)
            #expect(try JSONDecoder().decode(MemoryPlan.self, from: data) == plan)
        }
    }
}
