import Checkpoints
public import Foundation
import Models
import Torch

/// Describes checkpoints without reading their tensors.
public enum CheckpointInspection {
    /// Describes a folder, or a safetensors or GGUF file.
    ///
    /// A whole model's folder gives one report for each network in it.
    ///
    /// - Throws: What says which file or key cannot be read.
    public static func reports(_ url: URL) throws -> [CheckpointReport] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw FramePackError.model("There is no file or folder \(url.path).")
        }
        guard isFolder.boolValue else { return [try file(url)] }
        if has(url, "config.json") { return [try folder(url)] }
        let parts = try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
            .map { url.appendingPathComponent($0) }
            .filter { has($0, "config.json") && (try? NetworkKind.inFolder($0)) != nil }
        guard !parts.isEmpty else {
            throw FramePackError.model(
                "\(url.path) has no config.json, nor has any folder in it; name a checkpoint's "
                    + "folder or file.")
        }
        return try parts.map(folder)
    }

    /// Every tensor that a folder's `config.json` calls for, as one JSON object of shapes.
    ///
    /// Names follow the files of the folder where there are any, and else the published ones.
    public static func expectedJSON(_ url: URL) throws -> Data {
        let (kind, _) = try NetworkKind.inFolder(url)
        var shapes = try kind.expectedShapes(url)
        if let names = try? CheckpointFolder(url).entries.keys {
            shapes = renamed(shapes, as: Array(names), kind)
        }
        return try JSONEncoder.line.encode(shapes)
    }

    private static func has(_ folder: URL, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
    }

    /// The wanted names with or without the prefix, as the files have them.
    private static func renamed(
        _ shapes: [String: [Int]], as names: [String], _ kind: NetworkKind
    ) -> [String: [Int]] {
        guard let prefix = kind.prefixes.first else { return shapes }
        let found = names.contains { $0.hasPrefix(prefix) } ? prefix : ""
        return Dictionary(
            shapes.map { name, shape in
                let bare = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
                return (found + bare, shape)
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func file(_ url: URL) throws -> CheckpointReport {
        if try GGUFFile.isGGUF(url) { return try gguf(GGUFFile(url)) }
        let isNamed = url.pathExtension.lowercased() == "safetensors"
        guard try isNamed || SafetensorsFile.isSafetensors(url) else {
            throw FramePackError.model(
                "\(url.path) is no checkpoint that can be described; name a safetensors or GGUF file, "
                    + "or the folder of a model or of a part with its config.json.")
        }
        let file = try SafetensorsFile(url)
        var report = CheckpointReport(path: url.path, format: "safetensors")
        report.settings = file.metadata.mapValues { String($0.prefix(200)) }
        let kinds = AdapterSummary.kinds(ofKeys: file.entries.keys)
        if !kinds.isEmpty { report.className = kinds.joined(separator: ", ") }
        report.add([file])
        return report
    }

    private static func gguf(_ file: GGUFFile) -> CheckpointReport {
        var report = CheckpointReport(path: file.url.path, format: "gguf \(file.version)")
        report.className = file.metadata["general.architecture"]
        report.settings = file.metadata.mapValues { String($0.prefix(80)) }
        report.files = [
            .init(
                name: file.url.lastPathComponent, bytes: file.byteCount,
                tensors: file.tensors.count)
        ]
        report.count(file.tensors.map { ($0.type, $0.elementCount, $0.byteCount ?? 0) })
        return report
    }

    private static func folder(_ url: URL) throws -> CheckpointReport {
        let (kind, className) = try NetworkKind.inFolder(url)
        let checkpoint = try CheckpointFolder(url)
        var report = CheckpointReport(path: url.path, format: "folder")
        (report.className, report.network) = (className, kind)
        report.settings = settings(url)
        report.add(checkpoint.files)
        let entries = checkpoint.entries
        let expected = renamed(try kind.expectedShapes(url), as: Array(entries.keys), kind)
        let ignored = try kind.ignoredKeys(url)
        report.missing = expected.keys.filter { entries[$0] == nil && !ignored($0) }.sorted()
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            if let wanted = expected[name] {
                let found = checkpoint.shape(of: name) ?? entry.shape
                guard wanted != found else { continue }
                report.misshapen.append(.init(name: name, found: found, wanted: wanted))
            } else if ignored(name) || CheckpointFolder.isMark(name) {
                report.passedOver.append(name)
            } else if !checkpoint.isScale(name) {
                report.unexpected.append(name)
            }
        }
        return report
    }

    /// The numbers of a configuration, as texts.
    private static func settings(_ url: URL) -> [String: String] {
        let file = url.appendingPathComponent("config.json")
        guard let data = try? Data(contentsOf: file),
            let root = try? JSONDecoder().decode([String: SettingText].self, from: data)
        else { return [:] }
        return root.compactMapValues(\.text)
    }
}

/// A sum that stays at the largest number, since a damaged file may claim anything.
private func added(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}

/// A number, a truth value or a list of numbers of a configuration as text; nil for all else.
private struct SettingText: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        // Truth values first: some decoders take them for numbers.
        if let flag = try? value.decode(Bool.self) {
            text = "\(flag)"
        } else if let number = try? value.decode(Int.self) {
            text = "\(number)"
        } else if let number = try? value.decode(Double.self) {
            text = plainText(number)
        } else if let numbers = try? value.decode([Double].self) {
            text = numbers.map(plainText).joined(separator: " ")
        } else {
            text = nil
        }
    }
}

extension CheckpointReport {
    fileprivate mutating func add(_ files: [any TensorFile]) {
        self.files = files.map { file in
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: file.url.resolvingSymlinksInPath().path)
            return File(
                name: file.url.lastPathComponent,
                bytes: (attributes?[.size] as? NSNumber)?.intValue ?? 0,
                tensors: file.entries.count)
        }
        count(
            files.flatMap(\.entries.values).map {
                ($0.typeName, $0.shape.reduce(1, *), $0.range.count)
            })
    }

    fileprivate mutating func count(_ tensors: [(type: String, numbers: Int, bytes: Int)]) {
        parameters = tensors.reduce(0) { added($0, $1.numbers) }
        types = Dictionary(grouping: tensors, by: \.type).map { type, group in
            TypeCount(
                type: type, tensors: group.count,
                numbers: group.reduce(0) { added($0, $1.numbers) },
                bytes: group.reduce(0) { added($0, $1.bytes) })
        }.sorted { ($0.numbers, $1.type) > ($1.numbers, $0.type) }
    }
}
