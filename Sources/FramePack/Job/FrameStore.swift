import Checkpoints
import Foundation
import Media

/// The frames of a job as they are finished, and the output that is put together from them.
///
/// Frames of a video become one closed segment for each section, which an mp4 is joined from without
/// encoding anything twice; GIF and WebP are made from the joined segments. Frames for PNG files
/// become those files.
struct FrameStore {
    let job: Job
    let format: OutputFormat
    let size: FrameSize
    let encoding: VideoEncoding
    /// The frames of the whole video that are kept.
    let keptFrames: Range<Int>

    init(_ job: Job, plan: SectionPlan, size: FrameSize) throws {
        self.job = job
        self.size = size
        format = try job.request.outputFormat()
        // What is made smaller later should lose nothing here.
        let quality = format == .mp4 ? job.request.crf : min(job.request.crf, 6)
        encoding = VideoEncoding(framesPerSecond: plan.framesPerSecond, constantRateFactor: quality)
        keptFrames = plan.keptFrames
    }

    /// What of some finished frames is kept.
    func kept(_ frames: Range<Int>) -> Range<Int> { frames.clamped(to: keptFrames) }

    /// The name of the file of a section's frames.
    private func segmentName(_ section: Section) -> String {
        "segment-\(threeDigits(section.number)).mp4"
    }

    /// The file, or for PNG the folder, of a section's frames.
    func segment(_ section: Section) -> URL {
        job.file(format == .png ? "frames" : segmentName(section))
    }

    /// Whether a section's frames are there.
    func has(_ section: Section, frames: Range<Int>) -> Bool {
        let wanted = kept(frames)
        let names =
            format == .png ? wanted.map(frameName) : wanted.isEmpty ? [] : [segmentName(section)]
        return names.allSatisfy(job.isWhole)
    }

    /// Writes a section's finished frames; those that are cut are passed over.
    ///
    /// - Parameters:
    ///   - pictures: One for each of `frames`.
    ///   - check: Called before each frame; what it throws ends the writing.
    func write(
        _ pictures: [Picture], frames: Range<Int>, of section: Section, check: () throws -> Void
    ) throws {
        let wanted = kept(frames)
        guard !wanted.isEmpty else { return }
        if format == .png {
            try makeFolder(job.file("frames"))
            for number in wanted {
                try check()
                try pictures[number - frames.lowerBound].writePNG(to: frame(number))
                try job.seal(frameName(number))
            }
            return
        }
        let writer = try VideoWriter(
            to: segment(section), width: size.width, height: size.height, encoding: encoding)
        for number in wanted {
            try check()
            try writer.write(pictures[number - frames.lowerBound])
        }
        try writer.finish()
        try job.seal(segmentName(section))
    }

    /// Puts the output together.
    ///
    /// - Parameters:
    ///   - sections: The sections that have frames, in time order.
    ///   - comment: Text for the file's metadata.
    ///   - check: Called before each frame that is written anew; what it throws ends the writing.
    func finish(
        _ sections: [Section], to output: URL, comment: String, check: () throws -> Void
    ) throws {
        let segments = sections.map(segment)
        switch format {
        case .mp4: try joinSegments(segments, to: output, comment: comment)
        case .gif:
            try joinSegments(segments, to: job.file("joined.mp4"))
            try writeGIF(of: job.file("joined.mp4"), to: output, onFrame: check)
        case .webp:
            try joinSegments(segments, to: job.file("joined.mp4"))
            try writeWebP(of: job.file("joined.mp4"), to: output, onFrame: check)
        case .png:
            try makeFolder(output)
            let names = FrameFolderNames(output)
            for number in keptFrames {
                try check()
                try AtomicFile.write(
                    Data(contentsOf: frame(number), options: .mappedIfSafe),
                    to: names.file(number - keptFrames.lowerBound))
            }
        }
    }

    /// The PNG file of a frame of the whole video.
    private func frame(_ number: Int) -> URL { job.file(frameName(number)) }

    private func frameName(_ number: Int) -> String {
        "frames/\(FrameFolderNames.name(number - keptFrames.lowerBound))"
    }
}

/// Frames' names in a folder: `00000.png`, `00001.png` and so on.
private struct FrameFolderNames {
    let folder: URL

    init(_ folder: URL) { self.folder = folder }

    func file(_ index: Int) -> URL { folder.appendingPathComponent(Self.name(index)) }

    static func name(_ index: Int) -> String {
        let digits = String(index)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + "\(digits).png"
    }
}
