import Foundation
import Media
import Testing

@Suite struct AnimationTests {
    static func video(_ scratch: Scratch, frames: Int) throws -> URL {
        let file = try scratch.file("source.mp4")
        try VideoTests.write((0..<frames).map { movingFrame($0) }, to: file)
        return file
    }

    @Test func aGIFReadsBackCloseToItsVideo() throws {
        let scratch = try Scratch()
        let video = try Self.video(scratch, frames: 30)
        let file = try scratch.file("a.gif")
        try writeGIF(of: video, to: file)
        let source = try VideoReader(contentsOf: video).remainingFrames()
        let reader = try VideoReader(contentsOf: file)
        #expect(reader.frameCount == 30)
        #expect(abs(reader.seconds - 1) < 0.05)
        let read = try reader.remainingFrames()
        #expect(read.count == 30)
        for (index, pair) in zip(source, read).enumerated() {
            let difference = meanDifference(pair.0.pixels, pair.1.pixels)
            if index % 10 == 0 { print("GIF frame \(index): mean difference \(difference)") }
            #expect(difference < 5, "frame \(index): \(difference)")
        }
    }

    @Test func aGIFKeepsFewColoursExactly() throws {
        let scratch = try Scratch()
        let colors: [(UInt8, UInt8, UInt8)] = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 99, 200)]
        let frames = colors.map {
            Picture(width: 20, height: 11, red: $0.0, green: $0.1, blue: $0.2)
        }
        var rest = frames[...]
        let palette = Palette { rest.popFirst() }
        let file = try scratch.file("a.gif")
        let writer = try GIFWriter(
            to: file, width: 20, height: 11, framesPerSecond: 10, palette: palette)
        for frame in frames { try writer.write(frame) }
        try writer.finish()
        #expect(try VideoReader(contentsOf: file).remainingFrames() == frames)
    }

    @Test func aWebPHasEveryFrameAndItsFirstReadsBack() throws {
        let scratch = try Scratch()
        let video = try Self.video(scratch, frames: 12)
        let file = try scratch.file("a.webp")
        try writeWebP(of: video, to: file, quality: 90)
        let data = try Data(contentsOf: file)
        var count = 0
        var start = data.startIndex
        while let found = data.range(of: Data("ANMF".utf8), in: start..<data.endIndex) {
            count += 1
            start = found.upperBound
        }
        #expect(count == 12)
        let first = try #require(try VideoReader(contentsOf: video).next())
        let difference = meanDifference(try Picture(contentsOf: file).pixels, first.pixels)
        print("WebP: mean difference of the first frame \(difference)")
        #expect(difference < 4)
    }

    @Test func aFrameFolderHoldsTheExactFrames() throws {
        let scratch = try Scratch()
        let video = try Self.video(scratch, frames: 11)
        let folder = scratch.folder.appendingPathComponent("frames/inside")
        #expect(try writeFrames(of: video, to: folder) == 11)
        let source = try VideoReader(contentsOf: video).remainingFrames()
        for (index, frame) in source.enumerated() {
            let name = index < 10 ? "0000\(index).png" : "000\(index).png"
            #expect(try Picture(contentsOf: folder.appendingPathComponent(name)) == frame)
        }
        let occupied = try scratch.file("occupied", [1])
        #expect(message { _ = try FrameFolderWriter(folder: occupied) }.contains("occupied"))
    }

    @Test func wrongArgumentsAreToldInOneSentence() throws {
        let scratch = try Scratch()
        let file = try scratch.file("a.gif")
        var none: [Picture] = [movingFrame(0)]
        let palette = Palette { none.popLast() }
        #expect(
            message {
                _ = try GIFWriter(
                    to: file, width: 8, height: 8, framesPerSecond: 60, palette: palette)
            }.contains("60 frames a second"))
        #expect(
            message { _ = try WebPWriter(to: file, width: 8, height: 8, quality: 101) }
                .contains("101 is not in 0...100"))
        #expect(scratch.names.isEmpty)
    }

    @Test func theLibrarySaysWhichFFmpegItUses() throws {
        let text = try MediaLibrary.describe()
        print(text)
        #expect(text.contains("libavcodec") && text.contains("libswscale"))
    }
}
