import Foundation
import FramePack
import Media

/// The frames of a video, or of a folder of pictures, at 30 a second.
///
/// A frame is shown until the next one begins, so a slower video repeats frames and a quicker one
/// leaves some out; one of 29.97 is taken as it is.
final class FrameSource {
    /// The rate of every clip.
    static let framesPerSecond = 30.0

    /// The frames' size as shown.
    let size: FrameSize
    /// Frames at 30 a second.
    let frameCount: Int
    private let file: URL
    private let pictures: [URL]?
    /// Frames of the file for each frame at 30 a second.
    private let rate: Double

    /// Opens a file; no frame is read yet.
    ///
    /// - Parameter framesPerSecond: The rate that the file is taken to have; nil for its own.
    /// - Throws: `MediaError` for a file that is no video; `TrainingError` for an empty folder.
    init(_ file: URL, framesPerSecond: Double?) throws {
        self.file = file
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
        let frames: Int
        var own = framesPerSecond ?? Self.framesPerSecond
        if exists, isFolder.boolValue {
            let found = try Self.pictures(in: file)
            let first = try probe(found[0])
            size = FrameSize(height: first.height, width: first.width)
            (pictures, frames) = (found, found.count)
        } else {
            let reader = try VideoReader(contentsOf: file)
            size = FrameSize(height: reader.height, width: reader.width)
            (pictures, frames) = (nil, reader.frameCount)
            if framesPerSecond == nil, reader.framesPerSecond > 0 { own = reader.framesPerSecond }
        }
        let isNear = abs(own - Self.framesPerSecond) < 0.05
        rate = isNear ? 1 : own / Self.framesPerSecond
        frameCount = Int((Double(frames) / rate).rounded(.up))
    }

    private static func pictures(in folder: URL) throws -> [URL] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let files = names.map { folder.appendingPathComponent($0) }.filter {
            DatasetFile.Dataset.pictureEndings.contains($0.pathExtension.lowercased())
        }
        guard !files.isEmpty else { throw TrainingError("\(folder.path) holds no pictures") }
        return files
    }

    /// Which frame of the file is shown at a frame of 30 a second.
    private func number(_ frame: Int) -> Int { Int((Double(frame) * rate + 1e-6).rounded(.down)) }

    /// Reads clips in one pass over the file.
    ///
    /// - Parameters:
    ///   - clips: Ranges of frames at 30 a second, in the order of their beginnings.
    ///   - size: What frames are scaled and cut to.
    ///   - body: Called with each clip's number and frames as soon as it is whole.
    /// - Throws: `MediaError` for a damaged file; `TrainingError` for one that ends too soon; what
    ///   `body` throws.
    func read(
        _ clips: [Range<Int>], size: FrameSize, _ body: (Int, [Picture]) throws -> Void
    ) throws {
        let reader = pictures == nil ? try VideoReader(contentsOf: file) : nil
        var open: [(number: Int, clip: Range<Int>, frames: [Picture])] = []
        var waiting = Array(clips.enumerated())[...]
        var position = -1
        var current: Picture?
        var frame = clips.first?.lowerBound ?? 0
        while !waiting.isEmpty || !open.isEmpty {
            if open.isEmpty, let next = waiting.first {
                frame = max(frame, next.element.lowerBound)
            }
            while let next = waiting.first, next.element.lowerBound == frame {
                open.append((next.offset, next.element, []))
                waiting.removeFirst()
            }
            let wanted = number(frame)
            while position < wanted {
                position += 1
                let isWanted = position == wanted
                guard let picture = try self.picture(position, reader, isWanted: isWanted) else {
                    throw TrainingError("it ends after \(position) frames")
                }
                if isWanted {
                    current = picture.resizedAndCentreCropped(
                        width: size.width, height: size.height)
                }
            }
            if let current { for index in open.indices { open[index].frames.append(current) } }
            frame += 1
            for done in open where done.clip.upperBound == frame {
                try body(done.number, done.frames)
            }
            open.removeAll { $0.clip.upperBound == frame }
        }
    }

    /// The next frame of the file; of a folder only those that are wanted are read.
    private func picture(_ number: Int, _ reader: VideoReader?, isWanted: Bool) throws -> Picture? {
        if let reader { return try reader.next() }
        guard let pictures, number < pictures.count else { return nil }
        if !isWanted { return Picture(width: 1, height: 1, red: 0, green: 0, blue: 0) }
        return try Picture(contentsOf: pictures[number])
    }
}
