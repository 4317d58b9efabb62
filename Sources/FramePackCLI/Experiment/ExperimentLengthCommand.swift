import ArgumentParser
import Checkpoints
import Foundation
import FramePack
import FramePackBench
import Torch

/// `framepack experiment length`.
struct ExperimentLengthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "length",
        abstract: "Measure what each section of a long video costs.",
        usage: "framepack experiment length [<options>]",
        discussion: """
            Makes one video and measures every section: tokens, time, bytes read and written, \
            memory, open files; then fits a line to each. 500 sections are 10 minutes of video, \
            some 5 minutes on a core.
            """)

    @Option(parsing: .unconditional, help: "Sections of the video.")
    var sections = 500
    @Option(
        help: ArgumentHelp("A small model. (default: the one that ships)", valueName: "folder"))
    var model: String?
    @Option(parsing: .unconditional, help: "Order of the sections. (default: the model's)")
    var order: SamplingOrder?
    @Option(
        parsing: .unconditional,
        help: "Steps of a section, 1 to 100. (default: the model's)")
    var steps: Int?
    @Option(parsing: .unconditional, help: "Threads of an operation; 0 for libtorch's choice.")
    var threads = 1
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Write a report named after the machine, JSON and Markdown.", valueName: "folder"))
    var report: String?

    func validate() throws {
        try checkOption("sections", sections, 1...100_000)
        try checkOption("threads", threads, 0...1024)
        if let steps { try checkOption("steps", steps, 1...100) }
    }

    func run() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("framepack-length-\(UUID().uuidString)")
        try makeFolder(folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let count = sections
        let found = try LengthMeasurement(
            ModelFolder.locate(model), sectionCount: sections, order: order, steps: steps,
            threads: threads, version: "framepack \(FramePackCommand.version)"
        ).run(in: folder, cancellation: token) { done in
            if done % 10 == 0 || done == count { Terminal.writeError("\(done)/\(count)\n") }
        }
        print(found.markdown)
        guard let report else { return }
        for file in try found.write(to: URL(fileURLWithPath: report)) { print(file.path) }
    }
}
