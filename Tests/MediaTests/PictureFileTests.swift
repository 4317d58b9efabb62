import Foundation
import Media
import Testing

@Suite struct PictureFileTests {
    struct Case: Decodable {
        let file: String
        let width: Int
        let height: Int
        let tolerance: Int
        let mean: Double
        let transparent: Bool
    }

    static func cases() throws -> [Case] {
        let list = try Data(contentsOf: fixtures.appendingPathComponent("pictures.json"))
        return try JSONDecoder().decode([Case].self, from: list)
    }

    static func picture(_ name: String) -> URL {
        fixtures.appendingPathComponent("pictures/\(name)")
    }

    @Test func everyPictureReadsAsPillowReadsIt() throws {
        let cases = try Self.cases()
        #expect(cases.count > 40)
        for item in cases {
            let decoded = try Picture.decoded(contentsOf: Self.picture(item.file))
            let picture = decoded.picture
            #expect(
                (picture.width, picture.height) == (item.width, item.height), "\(item.file)")
            let expected = [UInt8](try Data(contentsOf: Self.picture("\(item.file).rgb")))
            let difference = largestDifference(picture.pixels, expected)
            let mean = meanDifference(picture.pixels, expected)
            print("\(item.file): largest difference \(difference), mean \(mean)")
            #expect(mean <= item.mean, "\(item.file): \(mean)")
            #expect(picture.pixels.count == expected.count, "\(item.file)")
            #expect(difference <= item.tolerance, "\(item.file): \(difference)")
            #expect(decoded.wasTransparent == item.transparent, "\(item.file)")
        }
    }

    @Test func theEightOrientationsAreAppliedAndTold() throws {
        for value in 1...8 {
            let file = Self.picture("orientation-\(value).jpg")
            let decoded = try Picture.decoded(contentsOf: file)
            #expect(decoded.orientation == value)
            let isSideways = value >= 5
            #expect(decoded.picture.width == (isSideways ? 16 : 24))
            let summary = try probe(file)
            #expect(
                (summary.width, summary.height) == (decoded.picture.width, decoded.picture.height))
        }
    }

    @Test func orientationsUndoOneAnother() {
        let picture = distinctPixels(width: 7, height: 5)
        for (value, inverse) in [(2, 2), (3, 3), (4, 4), (5, 5), (6, 8), (7, 7), (8, 6)] {
            #expect(picture.oriented(value).oriented(inverse) == picture)
            #expect(picture.oriented(value) != picture)
        }
    }

    @Test func aPNGReadsBackTheSame() throws {
        let scratch = try Scratch()
        let picture = distinctPixels(width: 33, height: 21)
        let file = try scratch.file("a.png")
        try picture.writePNG(to: file)
        #expect(try Picture(contentsOf: file) == picture)
        #expect(try probe(file).kind == .picture)
        #expect(scratch.names == ["a.png"])
    }

    @Test func aJPEGReadsBackAlmostTheSame() throws {
        let scratch = try Scratch()
        let picture = movingFrame(5, width: 33, height: 21)
        let best = try scratch.file("a.jpg")
        try picture.writeJPEG(to: best, quality: 100)
        let read = try Picture(contentsOf: best)
        let difference = meanDifference(read.pixels, picture.pixels)
        print("JPEG at quality 100: mean difference \(difference)")
        #expect(difference < 1)
        #expect(try picture.jpegData(quality: 30).count < picture.jpegData(quality: 95).count)
    }

    @Test func onePixelIsAPicture() throws {
        let picture = try Picture(contentsOf: Self.picture("pixel.png"))
        #expect((picture.width, picture.height) == (1, 1))
    }

    @Test func everyTruncatedPictureIsAnError() throws {
        let scratch = try Scratch()
        for item in try Self.cases() {
            let bytes = [UInt8](try Data(contentsOf: Self.picture(item.file)))
            // A frame of an animation counts whole; what follows it does not.
            let isMoving = item.file.hasPrefix("moving")
            for part in isMoving ? [0.1, 0.3] : [0.02, 0.1, 0.5, 0.9] {
                let count = Int(Double(bytes.count) * part)
                let file = try scratch.file("cut-\(item.file)", Array(bytes.prefix(count)))
                let text = message { _ = try Picture(contentsOf: file) }
                #expect(text.hasPrefix("\(file.path) cannot be read: "), "\(text)")
                #expect(text.hasSuffix("."), "\(text)")
            }
        }
    }

    @Test func aTruncatedJPEGSaysSo() throws {
        let scratch = try Scratch()
        let bytes = [UInt8](try Data(contentsOf: Self.picture("420.jpg")))
        let file = try scratch.file("cut.jpg", Array(bytes.dropLast(40)))
        #expect(message { _ = try Picture(contentsOf: file) }.contains("it is truncated"))
    }

    @Test func damagedPicturesNeverCrash() throws {
        let scratch = try Scratch()
        var random = Knuth(state: 1)
        for item in try Self.cases() {
            let bytes = [UInt8](try Data(contentsOf: Self.picture(item.file)))
            for _ in 0..<10 {
                var damaged = bytes
                for _ in 0..<4 {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] =
                        UInt8.random(in: 0...255, using: &random)
                }
                let file = try scratch.file("damaged-\(item.file)", damaged)
                _ = try? Picture(contentsOf: file)
                _ = try? probe(file)
            }
        }
    }

    @Test func whatIsNoPictureIsToldInOneSentence() throws {
        let scratch = try Scratch()
        let text = try scratch.file("text.png", Array("BM, not a picture at all".utf8))
        #expect(message { _ = try Picture(contentsOf: text) }.contains("it is not a picture"))
        let empty = try scratch.file("empty.jpg", [])
        #expect(message { _ = try Picture(contentsOf: empty) }.contains("it is empty"))
        let missing = try scratch.file("missing.jpg")
        #expect(message { _ = try Picture(contentsOf: missing) }.contains("there is no such file"))
        #expect(message { _ = try Picture(contentsOf: scratch.folder) }.contains("it is a folder"))
        for file in [text, empty, missing, scratch.folder] {
            let sentence = message { _ = try Picture(contentsOf: file) }
            #expect(sentence.contains(file.path) && !sentence.contains("\n"))
            #expect(message { _ = try probe(file) }.contains(file.path))
        }
    }

    @Test func aPicture20000PixelsWideIsRefusedBeforeItIsDecoded() throws {
        let scratch = try Scratch()
        var bytes = [UInt8](try Data(contentsOf: Self.picture("rgb.png")))
        bytes.replaceSubrange(16..<20, with: [0, 0, 0x4E, 0x20])
        let file = try scratch.file("wide.png", bytes)
        let text = message { _ = try Picture(contentsOf: file) }
        #expect(text.contains("20000 by 23 pixels; at most 16384 each way"), "\(text)")
    }

    @Test func writingIntoAMissingFolderLeavesNothing() throws {
        let scratch = try Scratch()
        let file = scratch.folder.appendingPathComponent("none/a.png")
        let text = message { try movingFrame(0).writePNG(to: file) }
        #expect(text.contains("does not exist"), "\(text)")
        #expect(scratch.names.isEmpty)
    }
}
