import Checkpoints
import Foundation

/// Where captions are written.
public enum CaptionForm: String, CaseIterable, Codable, Sendable {
    /// `captions.jsonl`: a line a clip, `{"caption": "", "video_path": "..."}`.
    case jsonl
    /// A `.txt` beside each clip.
    case txt
    /// Both.
    case both
}

/// The captions to be filled; what a person wrote there stays.
struct CaptionFiles {
    let folder: URL
    let form: CaptionForm

    var list: URL { folder.appendingPathComponent("captions.jsonl") }

    private struct Line: Codable {
        var caption = ""
        let video_path: String
    }

    /// Removes the lines of clips that are no more, as of a video that changed; other lines stay.
    ///
    /// - Parameter names: The files' names.
    func remove(_ names: Set<String>) throws {
        guard let before = try? String(contentsOf: list, encoding: .utf8) else { return }
        let lines = before.split(separator: "\n").filter {
            Self.clip(of: $0).map(names.contains) != true
        }
        try write(lines.map(String.init), over: before)
    }

    /// Adds what is missing for clips that are there.
    ///
    /// Lines of clips that a person removed go; lines of other files stay as they are.
    ///
    /// - Parameters:
    ///   - clips: The files of clips that are kept.
    ///   - own: The names of all files that were ever written here.
    func update(_ clips: [URL], own: Set<String>) throws {
        if form != .jsonl {
            for clip in clips {
                let text = clip.deletingPathExtension().appendingPathExtension("txt")
                guard !FileManager.default.fileExists(atPath: text.path) else { continue }
                try AtomicFile.write(Data(), to: text)
            }
        }
        guard form != .txt else { return }
        let names = Set(clips.map(\.lastPathComponent))
        var listed: Set<String> = []
        var lines: [String] = []
        let before = (try? String(contentsOf: list, encoding: .utf8)) ?? ""
        for line in before.split(separator: "\n") {
            let name = Self.clip(of: line)
            if let name, own.contains(name), !names.contains(name) { continue }
            if let name { listed.insert(name) }
            lines.append(String(line))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for clip in clips where !listed.contains(clip.lastPathComponent) {
            let line = Line(video_path: clip.path)
            lines.append(String(decoding: try encoder.encode(line), as: UTF8.self))
        }
        try write(lines, over: before)
    }

    private func write(_ lines: [String], over before: String) throws {
        let text = lines.map { $0 + "\n" }.joined()
        if text != before { try AtomicFile.write(Data(text.utf8), to: list) }
    }

    /// The name of the file that a line is about; nil for a line of another kind.
    private static func clip(of line: Substring) -> String? {
        let entry = try? JSONDecoder().decode(Entry.self, from: Data(line.utf8))
        return entry.map { URL(fileURLWithPath: $0.video_path).lastPathComponent }
    }

    /// A line of anybody's.
    private struct Entry: Decodable {
        let video_path: String
    }
}
