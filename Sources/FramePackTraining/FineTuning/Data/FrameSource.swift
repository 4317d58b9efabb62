package import Foundation
package import FramePack
package import Media

/// The frames of a video, or of a folder of pictures, at 30 a second.
///
/// A frame is shown until the next one begins, so a slower video repeats frames and a quicker one
/// leaves some out; see ``SteadyReader``. A folder's pictures come at the rate that it is taken to
/// have.
package final class FrameSource {
    /// The rate of every clip.
    static let framesPerSecond = 30.0

    /// What is read.
    private enum Kind {
        case video(sourceRate: Double?)
        case pictures([URL], rate: Double)
    }

    /// The frames' size as shown.
    let size: FrameSize
    /// Frames at 30 a second.
    package let frameCount: Int
    private let file: URL
    private let kind: Kind

    /// Opens a file; no frame is kept yet.
    ///
    /// - Parameter framesPerSecond: The rate that the file is taken to have; nil for its own.
    /// - Throws: `MediaError` for a file that is no video; `TrainingError` for an empty folder.
    package init(_ file: URL, framesPerSecond: Double?) throws {
        self.file = file
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
        if exists, isFolder.boolValue {
            let found = try Self.pictures(in: file)
            let first = try probe(found[0])
            size = FrameSize(height: first.height, width: first.width)
            let own = framesPerSecond ?? Self.framesPerSecond
            let rate = SteadyReader.isNear(own, Self.framesPerSecond) ? Self.framesPerSecond : own
            let seconds = Double(found.count) / rate
            frameCount = Int((seconds * Self.framesPerSecond - 0.001).rounded(.up))
            kind = .pictures(found, rate: rate)
        } else {
            let reader = try SteadyReader(
                file, rate: Self.framesPerSecond, sourceRate: framesPerSecond)
            size = FrameSize(height: reader.video.height, width: reader.video.width)
            frameCount = reader.expectedCount
            kind = .video(sourceRate: framesPerSecond)
        }
    }

    private static func pictures(in folder: URL) throws -> [URL] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let files = names.map { folder.appendingPathComponent($0) }.filter {
            FileEndings.pictures.contains($0.pathExtension.lowercased())
        }
        guard !files.isEmpty else { throw TrainingError("\(folder.path) holds no pictures") }
        return files
    }

    /// Reads clips in one pass over the file.
    ///
    /// - Parameters:
    ///   - clips: Ranges of frames at 30 a second, in the order of their beginnings.
    ///   - size: What frames are scaled and cut to.
    ///   - body: Called with each clip's number and frames as soon as it is whole.
    /// - Throws: `MediaError` for a damaged file; `TrainingError` for one that ends too soon; what
    ///   `body` throws.
    package func read(
        _ clips: [Range<Int>], size: FrameSize, _ body: (Int, [Picture]) throws -> Void
    ) throws {
        let frames = try frames()
        var open: [(number: Int, clip: Range<Int>, frames: [Picture])] = []
        var waiting = Array(clips.enumerated())[...]
        var (position, frame) = (-1, clips.first?.lowerBound ?? 0)
        var read: (() throws -> Picture)?
        var scaled: Picture?
        while !waiting.isEmpty || !open.isEmpty {
            if open.isEmpty, let next = waiting.first {
                frame = max(frame, next.element.lowerBound)
            }
            while let next = waiting.first, next.element.lowerBound == frame {
                open.append((next.offset, next.element, []))
                waiting.removeFirst()
            }
            while position < frame {
                guard let next = try frames() else {
                    throw TrainingError("it ends after \(position + 1) frames at 30 a second")
                }
                position += 1
                if !next.isRepeated { (read, scaled) = (next.read, nil) }
            }
            let picture =
                try scaled
                ?? read?().resizedAndCentreCropped(width: size.width, height: size.height)
            if let picture { for index in open.indices { open[index].frames.append(picture) } }
            scaled = picture
            frame += 1
            for done in open where done.clip.upperBound == frame {
                try body(done.number, done.frames)
            }
            open.removeAll { $0.clip.upperBound == frame }
        }
    }

    /// Gives frame after frame at 30 a second: how it is read, and whether it is the one before; nil
    /// after the last.
    private func frames() throws -> () throws -> (read: () throws -> Picture, isRepeated: Bool)? {
        switch kind {
        case .video(let sourceRate):
            let reader = try SteadyReader(
                file, rate: Self.framesPerSecond, sourceRate: sourceRate)
            return {
                guard let frame = try reader.next() else { return nil }
                return ({ frame.picture }, frame.isRepeated)
            }
        case .pictures(let files, let rate):
            var (place, before) = (0, -1)
            return {
                let number = Int((Double(place) + 0.001) * rate / Self.framesPerSecond)
                guard number < files.count else { return nil }
                defer { (place, before) = (place + 1, number) }
                return ({ try Picture(contentsOf: files[number]) }, number == before)
            }
        }
    }
}
