import Foundation
import Media
import Testing

/// Where this target's fixtures lie.
let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/media")

/// A folder of one test, removed with it.
final class Scratch {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("media-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func file(_ name: String, _ bytes: [UInt8]? = nil) throws -> URL {
        let file = folder.appendingPathComponent(name)
        if let bytes { try Data(bytes).write(to: file) }
        return file
    }

    /// Everything in the folder, hidden files too.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }
}

/// The largest difference between two byte arrays of one length.
func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
    zip(a, b).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
}

/// The mean difference between two byte arrays of one length.
func meanDifference(_ a: [UInt8], _ b: [UInt8]) -> Double {
    Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(max(a.count, 1))
}

/// A smooth moving picture: a slow gradient and a square that goes right.
func movingFrame(_ index: Int, width: Int = 64, height: Int = 48) -> Picture {
    var picture = Picture(width: width, height: height, red: 0, green: 0, blue: 0)
    for y in 0..<height {
        for x in 0..<width {
            let isInside = (x - index * 2 % width).magnitude < 8 && (y - height / 2).magnitude < 8
            let at = (y * width + x) * 3
            picture.pixels[at] = isInside ? 220 : UInt8(40 + x * 2 % 160)
            picture.pixels[at + 1] = isInside ? 60 : UInt8(80 + y % 96)
            picture.pixels[at + 2] = isInside ? 40 : UInt8(100 + index % 60)
        }
    }
    return picture
}

/// A picture in which no two pixels are alike, up to 85 by 85.
func distinctPixels(width: Int, height: Int) -> Picture {
    var pixels: [UInt8] = []
    for y in 0..<height {
        for x in 0..<width {
            pixels += [UInt8(x * 3), UInt8(y * 3), UInt8((y * width + x) % 251)]
        }
    }
    return Picture(width: width, height: height, pixels: pixels)
}

/// The message of the error that `body` throws; fails the test when it throws none.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
    } catch {
        return "\(error)"
    }
    Issue.record("no error was thrown")
    return ""
}

/// Runs `body` where memory that it allocates holds small numbers, such as motion vectors, at first.
func leavingSmallNumbersInMemory(seed: UInt64, _ body: () throws -> Void) rethrows {
    // Smaller than what the allocator takes from the system and gives back to it at once.
    let size = 100_000
    var random = Knuth(state: seed)
    let blocks = (0..<64).map { _ in
        UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    }
    for block in blocks {
        let numbers = block.bindMemory(to: Int16.self)
        for index in numbers.indices {
            numbers[index] = Int16(Int8(truncatingIfNeeded: random.next() >> 32))
        }
    }
    // The last one stays, so that the allocator keeps those before it.
    for block in blocks.dropLast() { block.deallocate() }
    defer { blocks.last?.deallocate() }
    try body()
}

/// Numbers from a seed, so that a failure comes again.
///
/// Source: D. Knuth's MMIX constants of a linear congruential generator.
struct Knuth: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}
