import Foundation
import FramePackMetrics
import Testing

@Suite struct VideoMeasuresTests {
    @Test("A fade to bright drifts by as much as its ends differ")
    func fade() throws {
        let frames = (0..<20).map { Patterns.grey(UInt8(100 + $0)) }
        let measures = VideoMeasures(frames, sections: [0..<10, 10..<20], measuresMotion: false)
        let brightness = try #require(measures.metrics[.brightness])
        #expect(abs(try #require(brightness.mean) - 109.5) < 1e-3)
        #expect(abs(try #require(brightness.first) - 101) < 1e-3)
        #expect(abs(try #require(brightness.last) - 118) < 1e-3)
        #expect(abs(try #require(brightness.drift) - 17) < 1e-3)
        #expect(abs(try #require(brightness.deviation) - 5.7663) < 1e-3)
        // One frame at each end of a section.
        #expect(brightness.sections.map { $0.drift.map { $0.rounded() } } == [9, 9])
        #expect(brightness.unit == "levels")
        let histogram = try #require(measures.metrics[.histogram])
        #expect(histogram.values.first == 0 && histogram.values.last == 19)
        #expect(measures.metrics[.motion] == nil)
    }

    @Test("Each metric has a value or a gap for each frame")
    func gaps() throws {
        var meter = VideoMeter()
        for step in 0..<5 {
            let frame = Patterns.waves(Double(step), width: 32, height: 32)
            meter.add(frame, reference: frame)
        }
        for (metric, values) in meter.values { #expect(values.count == 5, "\(metric)") }
        func gaps(_ metric: Metric) -> [Int] {
            (meter.values[metric] ?? []).enumerated().filter { $0.element == nil }.map(\.offset)
        }
        #expect(gaps(.sharpness) == [] && gaps(.psnr) == [])
        #expect(gaps(.change) == [0] && gaps(.motion) == [0])
        #expect(gaps(.jitter) == [0, 1] && gaps(.flicker) == [0, 4])
        let motion = try #require(Drift.mean(meter.values[.motion] ?? []))
        #expect(abs(motion - 1) < 0.15, "\(motion)")
        let jitter = try #require(Drift.mean(meter.values[.jitter] ?? []))
        #expect(jitter < 0.1, "\(jitter)")
        #expect(meter.values[.ssim] == [1, 1, 1, 1, 1])
    }

    @Test("One frame has no drift and no motion")
    func oneFrame() throws {
        let measures = VideoMeasures([Patterns.waves(width: 20, height: 10)])
        #expect(measures.sections == [0..<1])
        let sharpness = try #require(measures.metrics[.sharpness])
        #expect(sharpness.mean != nil && sharpness.drift == nil)
        #expect(measures.metrics[.motion]?.mean == nil)
    }

    @Test("Pieces cover every frame once, and a short last one joins the one before")
    func pieces() {
        #expect(VideoMeasures.pieces(of: 145) == [0..<37, 37..<73, 73..<109, 109..<145])
        #expect(VideoMeasures.pieces(of: 20) == [0..<20])
        #expect(VideoMeasures.pieces(of: 54) == [0..<54])
        #expect(VideoMeasures.pieces(of: 55) == [0..<37, 37..<55])
        #expect(VideoMeasures.pieces(of: 7, length: 2) == [0..<3, 3..<5, 5..<7])
        #expect(VideoMeasures.pieces(of: 0).isEmpty)
        for frames in 1...200 {
            let pieces = VideoMeasures.pieces(of: frames, length: 7)
            #expect(pieces.flatMap { Array($0) } == Array(0..<frames))
        }
    }

    @Test("Measures survive JSON")
    func json() throws {
        let measures = VideoMeasures(
            [Patterns.grey(1), Patterns.grey(9)], sections: [0..<1, 1..<9], measuresMotion: false)
        #expect(measures.sections == [0..<1, 1..<2])
        let data = try JSONEncoder().encode(measures)
        #expect(try JSONDecoder().decode(VideoMeasures.self, from: data) == measures)
    }
}
