import Foundation
import FramePack
import FramePackBench
import TestSupport
import Testing

@Suite struct LengthTests {
    @Test("A line is found exactly, and noise gives an uncertainty")
    func trends() throws {
        let line = try #require(Trend((0..<20).map { 3 + 0.5 * Double($0) }))
        #expect(abs(line.slope - 0.5) < 1e-12 && line.error < 1e-12)
        #expect(abs(line.mean - 7.75) < 1e-12)
        #expect(abs(line.growth - 9.5 / 7.75) < 1e-12)
        let flat = try #require(Trend([Double](repeating: 4, count: 5)))
        #expect(flat.slope == 0 && flat.error == 0 && flat.growth == 0)
        #expect(Trend([1, 2]) == nil)
        // Alternating values lie around a flat line: the slope is within its uncertainty.
        let noise = try #require(Trend((0..<100).map { $0 % 2 == 0 ? 1 : 1.2 }))
        #expect(abs(noise.growth) < noise.uncertainty)
        #expect(noise.uncertainty > 0.01 && noise.uncertainty < 0.1)
        // The same noise in runs of ten says less about a trend.
        let runs = try #require(Trend((0..<100).map { $0 / 10 % 2 == 0 ? 1 : 1.2 }))
        #expect(runs.uncertainty > 2 * noise.uncertainty)
    }

    @Test("Every section of a video is counted, with tokens as planned")
    func counts() throws {
        try withTemporaryFolder { folder in
            let model = try ModelFolder(Fixtures.url("goldens/pipeline/model"))
            var done: [Int] = []
            let report = try LengthMeasurement(
                model, sectionCount: 6, order: .f1, steps: 2, version: "framepack 1"
            ) { ($0.width, $0.height, $0.window) = (48, 32, 2) }.run(in: folder) { done.append($0) }
            #expect(done == [1, 2, 3, 4, 5, 6])
            #expect(report.sections.count == 6)
            #expect(report.size == [48, 32] && report.order == "f1" && report.steps == 2)
            // 2 x 3 patches: two new latents, the start and a newer one, then 2x and 4x.
            #expect(report.sections.allSatisfy { $0.tokens == report.sections[0].tokens })
            #expect(report.sections[0].tokens > 4 * 6)
            #expect(report.sections.allSatisfy { $0.seconds > 0 && $0.processorSeconds > 0 })
            #expect(report.fileBytes > 100 && report.joining.tokens == 0)
            #if os(Linux)
                #expect(report.sections.allSatisfy { ($0.bytesWritten ?? 0) > 1000 })
                #expect(report.sections.allSatisfy { ($0.anonymous ?? 0) > 1 << 20 })
                #expect(report.sections.allSatisfy { ($0.resident ?? 0) >= ($0.anonymous ?? 0) })
                #expect(report.sections.allSatisfy { ($0.openHandles ?? 0) > 2 })
            #endif
            let files = try report.write(to: folder.appendingPathComponent("reports"))
            let text = try String(contentsOf: files[1], encoding: .utf8)
            #expect(text.contains("one video of 6 sections") && text.contains("| tokens |"))
            #expect(
                try JSONDecoder().decode(LengthReport.self, from: Data(contentsOf: files[0]))
                    == report)
        }
    }
}
