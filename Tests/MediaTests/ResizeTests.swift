import Foundation
import Media
import Testing

@Suite struct ResizeTests {
    struct Case: Decodable {
        let source: String
        let width: Int
        let height: Int
        let to: [Int]
        let filter: String
        let bytes: String?
        let adler32: UInt32?
    }

    static func cases() throws -> [Case] {
        let list = try Data(contentsOf: fixtures.appendingPathComponent("resize.json"))
        return try JSONDecoder().decode([Case].self, from: list)
    }

    static func source(_ item: Case) throws -> Picture {
        let file = fixtures.appendingPathComponent("resize/\(item.source).rgb")
        return Picture(
            width: item.width, height: item.height, pixels: [UInt8](try Data(contentsOf: file)))
    }

    static func bytes(hex: String) -> [UInt8] {
        let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Source: RFC 1950, section 8.2.
    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }

    @Test func everyResizeGivesPillowsBytes() throws {
        let cases = try Self.cases()
        #expect(cases.count > 150)
        var largest = 0
        for item in cases {
            let source = try Self.source(item)
            let result =
                if let filter = ResizeFilter(rawValue: item.filter) {
                    source.resized(width: item.to[0], height: item.to[1], filter: filter)
                } else {
                    source.resizedAndCentreCropped(width: item.to[0], height: item.to[1])
                }
            let name = "\(item.source) to \(item.to) by \(item.filter)"
            #expect([result.width, result.height] == item.to, "\(name)")
            if let bytes = item.bytes.map(Self.bytes) {
                largest = max(largest, largestDifference(result.pixels, bytes))
                #expect(result.pixels == bytes, "\(name)")
            } else {
                #expect(Self.adler32(result.pixels) == item.adler32, "\(name)")
            }
        }
        print("\(cases.count) resizes against Pillow: largest difference \(largest)")
    }

    @Test func theSameSizeIsTheSamePicture() {
        let picture = distinctPixels(width: 30, height: 20)
        for filter in ResizeFilter.allCases {
            #expect(picture.resized(width: 30, height: 20, filter: filter) == picture)
        }
        #expect(picture.resizedAndCentreCropped(width: 30, height: 20) == picture)
    }

    @Test func aCropIsThePartThatWasAskedFor() {
        let picture = distinctPixels(width: 30, height: 20)
        let part = picture.cropped(x: 3, y: 4, width: 5, height: 6)
        for y in 0..<6 {
            for x in 0..<5 { #expect(part[x, y] == picture[x + 3, y + 4]) }
        }
    }
}
