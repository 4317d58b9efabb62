import Foundation
import Media
import Testing

@Suite struct VideoTests {
    static func write(
        _ frames: [Picture], to file: URL, encoding: VideoEncoding = VideoEncoding(),
        comment: String? = nil
    ) throws {
        let writer = try VideoWriter(
            to: file, width: frames[0].width, height: frames[0].height, encoding: encoding,
            comment: comment)
        for frame in frames { try writer.write(frame) }
        try writer.finish()
    }

    @Test func flatColoursSurviveWithinTwoLevels() throws {
        let scratch = try Scratch()
        let file = try scratch.file("flat.mp4")
        let levels: [UInt8] = [0, 37, 64, 101, 128, 173, 200, 255]
        var frames: [Picture] = []
        for red in levels {
            for green in levels {
                for blue in levels {
                    frames.append(
                        Picture(width: 32, height: 16, red: red, green: green, blue: blue))
                }
            }
        }
        try Self.write(frames, to: file)
        let reader = try VideoReader(contentsOf: file)
        var largest = 0
        for frame in frames {
            let read = try #require(try reader.next())
            largest = max(largest, largestDifference(read.pixels, frame.pixels))
        }
        print("\(frames.count) flat colours through H.264: largest difference \(largest)")
        #expect(largest <= 2)
    }

    @Test func framesComeWithTheirTimesAndAtAnotherSize() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a.mp4")
        let frames = (0..<20).map { movingFrame($0) }
        try Self.write(frames, to: file, encoding: VideoEncoding(framesPerSecond: 24))
        let reader = try VideoReader(contentsOf: file)
        for (index, frame) in frames.enumerated() {
            let size = index < 10 ? (32, 24) : (16, 12)
            let read = try #require(try reader.nextTimed(width: size.0, height: size.1))
            #expect(abs(try #require(read.seconds) - Double(index) / 24) < 1e-6)
            let wanted = frame.resized(width: size.0, height: size.1, filter: .box)
            #expect(meanDifference(read.picture.pixels, wanted.pixels) < 3, "frame \(index)")
        }
        #expect(try reader.nextTimed(width: 32, height: 24) == nil)
        #expect(message { _ = try reader.nextTimed(width: 0, height: 24) }.contains("width 0"))
    }

    @Test func aVideoKeepsItsFramesItsRateAndItsComment() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a.mp4")
        let frames = (0..<37).map { movingFrame($0) }
        let comment =
            #"{"prompt": "a red square, “größer”", "pad": ""#
            + String(repeating: "x", count: 20_000) + "\"}"
        try Self.write(frames, to: file, comment: comment)
        let reader = try VideoReader(contentsOf: file)
        #expect((reader.width, reader.height) == (64, 48))
        #expect(reader.frameCount == 37)
        #expect(reader.framesPerSecond == 30)
        #expect(abs(reader.seconds - 37.0 / 30) < 1e-6)
        #expect(reader.comment == comment)
        let read = try reader.remainingFrames()
        #expect(read.count == 37)
        for (index, pair) in zip(frames, read).enumerated() {
            let difference = meanDifference(pair.0.pixels, pair.1.pixels)
            #expect(difference < 2.5, "frame \(index): \(difference)")
        }
        let summary = try probe(file)
        #expect(summary.kind == .video && summary.frames == 37)
        #expect((summary.width, summary.height) == (64, 48))
        #expect(scratch.names == ["a.mp4"])
    }

    @Test func theIndexStandsBeforeTheFrames() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a.mp4")
        try Self.write((0..<5).map { movingFrame($0) }, to: file)
        let data = try Data(contentsOf: file)
        let index = try #require(data.range(of: Data("moov".utf8)))
        let frames = try #require(data.range(of: Data("mdat".utf8)))
        #expect(index.lowerBound < frames.lowerBound)
        // Primaries, transfer and matrix 1 (BT.709), limited range.
        let color = try #require(data.range(of: Data("colrnclx".utf8)))
        #expect([UInt8](data[color.upperBound..<(color.upperBound + 7)]) == [0, 1, 0, 1, 0, 1, 0])
        // No frame is reordered, so none is shown at another time than it is decoded at.
        #expect(data.range(of: Data("ctts".utf8)) == nil)
    }

    @Test func theSameFramesGiveTheSameFile() throws {
        let scratch = try Scratch()
        let frames = (0..<12).map { movingFrame($0) }
        try Self.write(frames, to: scratch.file("a.mp4"))
        try Self.write(frames, to: scratch.file("b.mp4"))
        #expect(
            try Data(contentsOf: scratch.file("a.mp4")) == Data(contentsOf: scratch.file("b.mp4")))
    }

    // libx264's AVX-512 code takes in motion vectors from behind the end of their array, unless told
    // otherwise; on other processors this has always held.
    @Test func theSameFramesGiveTheSameFileWhateverLayInMemory() throws {
        let scratch = try Scratch()
        let frames = (0..<12).map { movingFrame($0) }
        var files: [Data] = []
        for seed in 1...4 {
            let file = try scratch.file("\(seed).mp4")
            try leavingSmallNumbersInMemory(seed: UInt64(seed)) {
                try Self.write(frames, to: file)
            }
            files.append(try Data(contentsOf: file))
        }
        #expect(Set(files).count == 1)
    }

    @Test func joinedSegmentsHaveExactlyTheirFrames() throws {
        let scratch = try Scratch()
        let counts = [1, 36, 2, 73, 5]
        var all: [Picture] = []
        var single: [[UInt8]] = []
        var segments: [URL] = []
        for (index, count) in counts.enumerated() {
            let frames = (0..<count).map { movingFrame(all.count + $0) }
            let file = try scratch.file("segment-\(index).mp4")
            try Self.write(frames, to: file)
            single += try VideoReader(contentsOf: file).remainingFrames().map(\.pixels)
            all += frames
            segments.append(file)
        }
        let file = try scratch.file("joined.mp4")
        try joinSegments(segments, to: file, comment: "{\"seed\": 1}")
        let reader = try VideoReader(contentsOf: file)
        #expect(reader.frameCount == all.count)
        #expect(reader.framesPerSecond == 30)
        #expect(reader.comment == "{\"seed\": 1}")
        #expect(abs(reader.seconds - Double(all.count) / 30) < 1e-6)
        let read = try reader.remainingFrames()
        #expect(read.count == all.count)
        for index in read.indices {
            #expect(read[index].pixels == single[index], "frame \(index) changed in joining")
            #expect(meanDifference(read[index].pixels, all[index].pixels) < 2.5, "frame \(index)")
        }
        // What was joined can be joined again.
        let again = try scratch.file("again.mp4")
        try joinSegments([file, segments[1]], to: again)
        #expect(try VideoReader(contentsOf: again).frameCount == all.count + 36)
        #expect(!scratch.names.contains { $0.hasSuffix(".partial") })
    }

    @Test func segmentsThatDoNotFitAreRefused() throws {
        let scratch = try Scratch()
        let (a, b) = (try scratch.file("a.mp4"), try scratch.file("b.mp4"))
        try Self.write([movingFrame(0)], to: a)
        try Self.write([movingFrame(0, width: 32)], to: b)
        let out = try scratch.file("out.mp4")
        #expect(message { try joinSegments([a, b], to: out) }.contains("another size"))
        #expect(message { try joinSegments([], to: out) }.contains("no segments"))
        let text = try scratch.file("text.mp4", Array("no video".utf8))
        #expect(message { try joinSegments([a, text], to: out) }.contains("text.mp4"))
        let missing = try scratch.file("missing.mp4")
        #expect(message { try joinSegments([missing], to: out) }.contains("no such file"))
        #expect(scratch.names == ["a.mp4", "b.mp4", "text.mp4"])
    }

    @Test func wrongArgumentsAreToldInOneSentence() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a.mp4")
        let odd = message { _ = try VideoWriter(to: file, width: 63, height: 48) }
        #expect(odd.contains("width 63 is odd") && odd.contains("use 62 or 64"))
        for factor in [-1, 52] {
            let encoding = VideoEncoding(constantRateFactor: factor)
            #expect(
                message {
                    _ = try VideoWriter(to: file, width: 64, height: 48, encoding: encoding)
                }.contains("\(factor) is not in 0...51"))
        }
        #expect(
            message { _ = try VideoWriter(to: file, width: 20_000, height: 48) }.contains("20000"))
        #expect(
            message {
                _ = try VideoWriter(
                    to: file, width: 64, height: 48, encoding: VideoEncoding(framesPerSecond: 0))
            }.contains("not in 1...240"))
        let writer = try VideoWriter(to: file, width: 64, height: 48)
        #expect(
            message { try writer.write(movingFrame(0, width: 32)) }.contains("does not fit into"))
        #expect(message { try writer.finish() }.contains("was given no frame"))
        #expect(scratch.names.isEmpty)
    }

    @Test func aWriterThatIsLetGoLeavesNothing() throws {
        let scratch = try Scratch()
        do {
            let writer = try VideoWriter(
                to: scratch.file("a.mp4"), width: 64, height: 48)
            try writer.write(movingFrame(0))
            #expect(scratch.names == [".a.mp4.partial"])
        }
        #expect(scratch.names.isEmpty)
    }

    @Test func everyRateFactorGivesAProfileThatBrowsersPlay() throws {
        let scratch = try Scratch()
        var sizes: [Int] = []
        for factor in [0, 16, 51] {
            let file = try scratch.file("\(factor).mp4")
            try Self.write(
                (0..<8).map { movingFrame($0) }, to: file,
                encoding: VideoEncoding(constantRateFactor: factor))
            let data = try Data(contentsOf: file)
            let configuration = try #require(data.range(of: Data("avcC".utf8)))
            // 100 is the High profile; lossless H.264 would be 244.
            #expect(data[configuration.upperBound + 1] == 100)
            sizes.append(data.count)
        }
        #expect(sizes == sizes.sorted(by: >))
    }

    @Test func whatIsNoVideoIsToldInOneSentence() throws {
        let scratch = try Scratch()
        for (name, bytes) in [("text.mp4", Array("#EXTM3U\nhttp://x/".utf8)), ("empty.mp4", [])] {
            let file = try scratch.file(name, bytes)
            let text = message { _ = try VideoReader(contentsOf: file) }
            #expect(text.hasPrefix("\(file.path) cannot be read: "), "\(text)")
        }
        let missing = try scratch.file("missing.mp4")
        #expect(message { _ = try VideoReader(contentsOf: missing) }.contains("no such file"))
    }
}
