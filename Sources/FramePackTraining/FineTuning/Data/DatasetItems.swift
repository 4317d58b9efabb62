package import Foundation
import Media

/// A file of a dataset with its caption.
package struct DatasetItem {
    /// Where it lies.
    package let file: URL
    /// What it shows.
    package let caption: String
    /// Whether it is a still picture.
    package let isPicture: Bool
    /// What a picture is made from; nil where it is made from the caption alone.
    package let control: URL?
}

/// A file that is left out, and why.
public struct DatasetProblem: Sendable, Equatable, CustomStringConvertible {
    /// The file, or the line of a list.
    public let place: String
    /// Why it is left out.
    public let reason: String
    /// Both in one line.
    public var description: String { "\(place): \(reason)" }
}

extension DatasetFile.Dataset {
    /// The files of the dataset in the order of their names or lines; what has no caption is told.
    ///
    /// - Throws: `TrainingError` for a folder or list that cannot be read.
    package func items() throws -> (items: [DatasetItem], problems: [DatasetProblem]) {
        switch source {
        case .videos(let folder): try items(in: folder, isPicture: false)
        case .pictures(let folder): try items(in: folder, isPicture: true)
        case .videoList(let file): try items(listedIn: file, key: "video_path")
        case .pictureList(let file): try items(listedIn: file, key: "image_path")
        }
    }

    private func items(in folder: URL, isPicture: Bool) throws
        -> ([DatasetItem], [DatasetProblem])
    {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw TrainingError("there is no folder \(folder.path), or it cannot be read")
        }
        let endings = isPicture ? FileEndings.pictures : FileEndings.videos
        var items: [DatasetItem] = []
        var problems: [DatasetProblem] = []
        for name in names.sorted() where !name.hasPrefix(".") {
            let file = folder.appendingPathComponent(name)
            guard endings.contains(file.pathExtension.lowercased()) else { continue }
            let captionFile = file.deletingPathExtension().path + captionExtension
            guard let text = try? String(contentsOfFile: captionFile, encoding: .utf8) else {
                problems.append(
                    DatasetProblem(
                        place: file.path, reason: "it has no caption; write one to \(captionFile)"))
                continue
            }
            items.append(
                DatasetItem(
                    file: file, caption: text.trimmingCharacters(in: .whitespacesAndNewlines),
                    isPicture: isPicture, control: isPicture ? control(of: file) : nil))
        }
        return (items, problems)
    }

    private func items(listedIn list: URL, key: String) throws
        -> ([DatasetItem], [DatasetProblem])
    {
        guard let text = try? String(contentsOf: list, encoding: .utf8) else {
            throw TrainingError("there is no file \(list.path), or it is not UTF-8 text")
        }
        var items: [DatasetItem] = []
        var problems: [DatasetProblem] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            guard line.contains(where: { !$0.isWhitespace }) else { continue }
            let entry = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let path = entry?[key] as? String, let caption = entry?["caption"] as? String
            else {
                problems.append(
                    DatasetProblem(
                        place: "\(list.path), line \(number + 1)",
                        reason: "it is no JSON object with \"\(key)\" and \"caption\""))
                continue
            }
            items.append(
                DatasetItem(
                    file: Self.located(path, beside: list), caption: caption,
                    isPicture: key == "image_path",
                    control: (entry?["control_path"] as? String).map {
                        Self.located($0, beside: list)
                    }))
        }
        return (items, problems)
    }

    /// The control picture of the same name, whatever its ending.
    private func control(of picture: URL) -> URL? {
        let stem = picture.deletingPathExtension().lastPathComponent
        return FileEndings.pictures.lazy.compactMap {
            controlFolder?.appendingPathComponent("\(stem).\($0)")
        }.first { FileManager.default.fileExists(atPath: $0.path) }
    }

    /// A path of a list: from the current folder, or else from the list's.
    private static func located(_ path: String, beside list: URL) -> URL {
        let here = URL(fileURLWithPath: path)
        if FileManager.default.fileExists(atPath: here.path) { return here }
        return URL(fileURLWithPath: path, relativeTo: list.deletingLastPathComponent())
            .standardizedFileURL
    }
}
