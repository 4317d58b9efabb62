import ArgumentParser
import Foundation
import FramePack

/// `framepack inspect`.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Describe a checkpoint: class, sizes, types, what is missing or unexpected.",
        discussion: """
            Describes a checkpoint's folder, a whole model's folder, or a safetensors or GGUF \
            file; no tensor is read.
            """)

    @Argument(help: "The folder or file.")
    var path: String
    @Flag(
        help: """
            Print every tensor that the folder's config.json calls for, with its shape, as one \
            JSON object.
            """)
    var expected = false
    @Flag(help: "Print JSON instead of text.")
    var json = false

    func run() throws {
        let url = URL(fileURLWithPath: path)
        if expected {
            print(String(decoding: try CheckpointInspection.expectedJSON(url), as: UTF8.self))
            return
        }
        let reports = try CheckpointInspection.reports(url)
        if json {
            let encoder = JSONEncoder.sorted
            let data =
                reports.count == 1 ? try encoder.encode(reports[0]) : try encoder.encode(reports)
            print(String(decoding: data, as: UTF8.self))
        } else {
            print(reports.map(\.text).joined(separator: "\n\n"))
        }
        let isModel = FileManager.default.fileExists(
            atPath: url.appendingPathComponent("model_index.json").path)
        if isModel { try ModelFolder(url).requireAll() }
        let broken = reports.filter { !$0.isComplete }.map(\.path)
        guard broken.isEmpty else {
            throw CommandError.failure(
                "Not what its configuration calls for: \(broken.joined(separator: ", "))")
        }
    }
}
