import Foundation
import FramePack

/// What became of raw video: every video with its clips, and what was left out.
public struct FootageReport: Codable, Equatable, Sendable {
    /// How the clips were made.
    public let options: FootageOptions
    /// The videos, in the order in which they were prepared.
    public private(set) var videos: [FootageRecord]

    init(options: FootageOptions, videos: [FootageRecord]) {
        (self.options, self.videos) = (options, videos)
    }

    /// Takes a video's record in, in the place of an earlier one.
    mutating func set(_ record: FootageRecord) {
        if let index = videos.firstIndex(where: { $0.source == record.source }) {
            videos[index] = record
        } else {
            videos.append(record)
        }
    }

    mutating func finish(_ record: FootageRecord) {
        var record = record
        record.isDone = true
        set(record)
    }

    /// The report as text, its tables in at most 80 columns.
    ///
    /// It says what is kept, by size and length, what was left out and why, and which files are
    /// broken.
    public var text: String {
        ([keptLine] + keptTable + flawTable + hints + brokenLines).joined(separator: "\n")
    }

    private var kept: [FootageClip] { videos.flatMap(\.kept) }

    private var keptLine: String {
        let seconds = kept.reduce(0) { $0 + $1.frames } / options.framesPerSecond
        let scenes = videos.reduce(0) { $0 + $1.scenes }
        return "\(counted(videos.count, "video")), \(counted(scenes, "scene")); "
            + "\(counted(kept.count, "clip")) kept, \(seconds) s in all"
    }

    private var keptTable: [String] {
        let groups = Dictionary(grouping: kept) { "\($0.size.width)x\($0.size.height)" }
        return groups.sorted { $0.key < $1.key }.flatMap { size, clips in
            Dictionary(grouping: clips, by: \.frames).sorted { $0.key < $1.key }
                .map { frames, clips in
                    row("  \(size), \(counted(frames, "frame"))", "\(clips.count)")
                }
        }
    }

    private var flawTable: [String] {
        let dropped = Dictionary(
            grouping: videos.flatMap(\.clips).filter { $0.flaw != nil }, by: \.flaw)
        let lines = FootageFlaw.allCases.compactMap { flaw -> String? in
            guard let clips = dropped[flaw] else { return nil }
            let seconds = clips.reduce(0) { $0 + $1.frames } / options.framesPerSecond
            return row("  \(flaw.text)", "\(clips.count)") + "  (\(seconds) s)"
        }
        return lines.isEmpty ? [] : ["left out:"] + lines
    }

    /// What to do where nothing is kept since pictures are too small.
    private var hints: [String] {
        guard kept.isEmpty, videos.flatMap(\.clips).contains(where: { $0.flaw == .small }) else {
            return []
        }
        return [
            "for smaller pictures take a --resolution below \(options.resolution), or a",
            "--max-enlargement above \(options.mostEnlargement), and another folder",
        ]
    }

    private var brokenLines: [String] {
        let broken = videos.filter { $0.problem != nil }
        guard !broken.isEmpty else { return [] }
        return ["cannot be read:"] + broken.map { "  " + ($0.problem ?? "") }
    }

    private func row(_ name: String, _ number: String) -> String {
        name + String(repeating: " ", count: max(1, 40 - name.count - number.count)) + number
    }
}
