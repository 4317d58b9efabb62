import Foundation
import Media
import ToyWorld

/// Raw video made of scenes of the toy world.
struct RawFootage {
    static let side = 64
    private(set) var frames: [Picture] = []

    /// The frames of a scene that moves all the time.
    static func scene(_ seed: UInt64, frames: Range<Int>) -> [Picture] {
        let scene = Scene(seed: seed, side: side, config: .simple, split: .training)
        let bytes = scene.render(frames: frames)
        return (0..<frames.count).map {
            Picture(
                width: side, height: side,
                pixels: Array(bytes[$0 * scene.frameBytes..<($0 + 1) * scene.frameBytes]))
        }
    }

    mutating func add(_ pictures: [Picture]) { frames += pictures }

    /// A scene whose last frames go to black in even steps, and five black frames.
    mutating func addFadingOut(_ pictures: [Picture], over count: Int) {
        for (index, picture) in pictures.enumerated() {
            let left = pictures.count - index
            var picture = picture
            if left <= count {
                let share = Double(left - 1) / Double(count)
                picture.pixels = picture.pixels.map { UInt8(Double($0) * share) }
            }
            frames.append(picture)
        }
        frames += [Picture](
            repeating: Picture(width: Self.side, height: Self.side, red: 0, green: 0, blue: 0),
            count: 5)
    }

    /// Goes over from the last frames to the first of other pictures.
    mutating func addDissolving(_ pictures: [Picture], over count: Int) {
        for index in 0..<count {
            let share = Double(index + 1) / Double(count + 1)
            let at = frames.count - count + index
            frames[at].pixels = zip(frames[at].pixels, pictures[index].pixels).map {
                UInt8((Double($0) * (1 - share) + Double($1) * share).rounded())
            }
        }
        frames += pictures.dropFirst(count)
    }

    /// The same pictures out of focus.
    static func blurred(_ pictures: [Picture]) -> [Picture] {
        pictures.map {
            $0.resized(width: 8, height: 8, filter: .box)
                .resized(width: side, height: side, filter: .bicubic)
        }
    }

    func write(to file: URL, framesPerSecond: Int = 30) throws {
        let writer = try VideoWriter(
            to: file, width: Self.side, height: Self.side,
            encoding: VideoEncoding(framesPerSecond: framesPerSecond, constantRateFactor: 6))
        for frame in frames { try writer.write(frame) }
        try writer.finish()
    }
}
