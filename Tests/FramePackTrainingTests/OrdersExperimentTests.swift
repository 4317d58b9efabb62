import FramePack
import FramePackTraining
import Testing
import Torch

@Suite struct OrdersExperimentTests {
    @Test func rowsAreEveryPackingInEveryOrder() throws {
        let rows = try OrdersExperiment.rows()
        #expect(rows.count == 3 * 3 * 2 + 1)
        #expect(Set(rows.map(\.name)).count == rows.count)
        for order in [SamplingOrder.vanilla, .antiDrifting, .inverted] {
            let own = rows.filter { $0.order == order && $0.name != OrdersExperiment.control }
            #expect(own.count == 6)
            #expect(own.filter(\.isDiscrete).count == 3)
        }
        #expect(rows.last?.latentFramesRemembered == 1)
    }

    /// What is compared is what the base was trained with.
    @Test func theBaseIsTrainedWithEveryOrderAndPacking() throws {
        let trained = Set(TrainingLayout.all.map { "\($0.packing.name) \($0.order.rawValue)" })
        #expect(TrainingLayout.all.count == 29)
        #expect(Set(TrainingLayout.all.map(\.order)) == Set(SamplingOrder.allCases))
        for row in try OrdersExperiment.rows() {
            #expect(trained.contains("\(row.name) \(row.order.rawValue)"), "\(row)")
        }
    }

    @Test func meansComeWithTheirIntervals() throws {
        let estimate = try #require(MeanEstimate([1, 2, 3, 4]))
        #expect(estimate.mean == 2.5 && estimate.count == 4)
        // 3.182446 · sqrt(5/3 / 4): Student's t of three degrees of freedom.
        #expect(abs(estimate.halfWidth - 2.054261) < 1e-5)
        #expect(MeanEstimate([1]) == nil)
    }

    /// Against the usual tables of Student's t at 0.975.
    @Test(arguments: [
        (2, 12.706205), (3, 4.302653), (4, 3.182446), (5, 2.776445), (24, 2.068658), (25, 2.063899),
        (100, 1.984217), (1000, 1.962341),
    ])
    func intervalsAreStudents(count: Int, width: Double) throws {
        let values = (0..<count).map { Double($0 % 2) }
        let estimate = try #require(MeanEstimate(values))
        let mean = values.reduce(0, +) / Double(count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let error = (squares / Double(count - 1) / Double(count)).squareRoot()
        #expect(abs(estimate.halfWidth / error - width) < 2e-6)
    }
}

@Suite struct CodebookTests {
    private let pixels: [Float] = [0, 0, 0, 1, 10, 10, 10, 11, -5, 4, -5, 5]

    @Test func clustersAreFound() throws {
        let pixels = try Tensor(self.pixels, [6, 2])
        let result = try CodebookFitting(count: 3).fit(pixels)
        let rows = try result.codebook.entries.array(Float.self)
        let found = Set(stride(from: 0, to: 6, by: 2).map { [rows[$0], rows[$0 + 1]] })
        #expect(found == [[0, 0.5], [10, 10.5], [-5, 4.5]])
        #expect(abs(result.distance - 0.5) < 1e-6)
        #expect(result.keptVariance > 0.99)
    }

    @Test func oneEntryIsTheMeanAndManyAreThePixels() throws {
        let pixels = try Tensor(self.pixels, [6, 2])
        let one = try CodebookFitting(count: 1).fit(pixels)
        let mean = try pixels.mean([0]).array(Float.self)
        #expect(try one.codebook.entries.array(Float.self) == mean)
        let all = try CodebookFitting(count: 6).fit(pixels)
        #expect(all.distance == 0 && all.keptVariance == 1)
        #expect(throws: TrainingError.self) { try CodebookFitting(count: 7).fit(pixels) }
    }

    @Test func latentsBecomeTheirNearestEntries() throws {
        let codebook = try HistoryCodebook(entries: Tensor([0, 0, 10, 10] as [Float], [2, 2]))
        let latents = try Tensor([1, 9, 2, 8] as [Float], [1, 2, 1, 1, 2])
        // Pixels are (1, 2) and (9, 8).
        let discrete = try codebook.nearest(to: latents)
        #expect(discrete.shape == latents.shape)
        #expect(try discrete.array(Float.self) == [0, 10, 0, 10])
        #expect(throws: FramePackError.self) {
            try codebook.nearest(to: .zeros([1, 3, 1, 1, 1]))
        }
    }
}
