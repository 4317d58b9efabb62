import Foundation
import FramePack
import FramePackTraining
import Media
import TestSupport
import Testing
import Torch

@Suite struct SampleVideosTests {
    @Test func trainingWritesVideosOfEveryOrder() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder)
            let samples = try SampleVideos(training.run, seconds: 1).write(step: 7)
            let files = samples.map(\.video)
            let names = files.map(\.lastPathComponent)
            #expect(names.count == SampleVideos.scenes.count * SamplingOrder.allCases.count)
            #expect(names.contains("step-7-red-circle-f1.mp4"))
            #expect(names.contains("step-7-blue-square-inverted.mp4"))
            for file in files {
                #expect(file.deletingLastPathComponent().path.hasSuffix("/samples"))
                let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size]
                #expect((size as? Int ?? 0) > 500)
            }
            let side = try training.run.sizes().side
            for sample in samples {
                #expect(sample.strip.lastPathComponent == "step-7-\(sample.name).png")
                #expect(try Picture(contentsOf: sample.strip) == sample.picture)
                #expect(sample.picture.height == side)
                #expect(sample.picture.width == 8 * side + 7 * 2)
            }
        }
    }
}
