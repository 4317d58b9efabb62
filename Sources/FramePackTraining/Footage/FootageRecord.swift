import Foundation
public import FramePack

/// Why a clip was left out.
public enum FootageFlaw: String, Codable, Sendable, CaseIterable {
    /// Its scene is shorter than the shortest clip.
    case short
    /// Hardly anything moves.
    case still
    /// Movement changes abruptly from frame to frame.
    case jumpy
    /// It has few sharp edges.
    case blurred
    /// Its pictures would have to be enlarged.
    case small
    /// It has too few frames a second.
    case slow

    /// The same in words.
    public var text: String {
        switch self {
        case .short: "scene too short"
        case .still: "too still"
        case .jumpy: "too jumpy"
        case .blurred: "not sharp"
        case .small: "picture too small"
        case .slow: "too few frames a second"
        }
    }
}

/// A piece of a video, kept or left out.
public struct FootageClip: Codable, Equatable, Sendable {
    /// The file's name below `clips`.
    public let file: String
    /// The first frame, at the clips' rate.
    public let firstFrame: Int
    /// Frames.
    public let frames: Int
    /// The size.
    public let size: FrameSize
    /// Mean of what was measured in it; nil where nothing was.
    public let motion, jitter, sharpness: Double?
    /// Why it was left out; nil for a clip that is kept.
    public let flaw: FootageFlaw?
}

/// What became of one video.
public struct FootageRecord: Codable, Equatable, Sendable {
    /// The video's path.
    public let source: String
    /// The video's size in bytes, and when it was last changed, by which a change is seen.
    public let bytes: Int
    /// Seconds since 1970.
    public let changed: Double
    /// Why it cannot be read; nil where it can.
    public let problem: String?
    /// Frames at the clips' rate.
    public let frames: Int
    /// Its scenes.
    public let scenes: Int
    /// Frames of fades, flat frames, and what is left over behind a scene's last clip.
    public let unusedFrames: Int
    /// Its clips, in order.
    public let clips: [FootageClip]
    /// Whether all of its clips are written.
    public var isDone: Bool

    /// Clips that are kept.
    public var kept: [FootageClip] { clips.filter { $0.flaw == nil } }
}

/// The video's size and the time of its last change.
struct FootageSource: Equatable {
    let path: String
    let bytes: Int
    let changed: Double

    init(_ file: URL) {
        let values = try? FileManager.default.attributesOfItem(atPath: file.path)
        path = file.standardizedFileURL.path
        bytes = (values?[.size] as? NSNumber)?.intValue ?? 0
        changed = (values?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    }

    func isThat(of record: FootageRecord) -> Bool {
        record.source == path && record.bytes == bytes && abs(record.changed - changed) < 1e-3
    }

    /// The record of a video that cannot be read.
    func broken(_ problem: String) -> FootageRecord {
        FootageRecord(
            source: path, bytes: bytes, changed: changed, problem: problem, frames: 0, scenes: 0,
            unusedFrames: 0, clips: [], isDone: true)
    }

    /// What the names of its clips begin with: its own, and a number of its path, since many
    /// cameras count from one.
    var clipStem: String {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        let plain = name.prefix(60).map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" }
        let hash = path.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return String(plain) + "-" + String(format: "%08x", hash)
    }
}
