import ArgumentParser
import Checkpoints
import Foundation
import FramePack

/// `framepack convert`.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Write a model's weights in another format: fp8, int8, int4, GGUF.",
        usage: "framepack convert <source> <output> --format <format> [<options>]",
        discussion: """
            Rounds the linear layers of the blocks; modulation, embedders and norms stay as they \
            are. The source is the folder of a transformer or of a Llama text encoder, or of a whole \
            model, whose transformer is then converted and whose other parts are linked. \
            docs/weight-formats.md says what each format costs and loses.
            """)

    @Argument(help: "The folder of a part, or of a whole model.")
    var source: String
    @Argument(help: "The new folder.")
    var output: String
    @Option(parsing: .unconditional, help: "What is written.")
    var format: ConversionFormat
    @Flag(help: "Convert the text encoder of a whole model too.")
    var textEncoder = false
    @Flag(help: "Copy the other parts of a whole model instead of linking them.")
    var copy = false
    @Flag(help: "Print JSON instead of text.")
    var json = false

    func run() throws {
        let (source, output) = (URL(fileURLWithPath: source), URL(fileURLWithPath: output))
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let isModel = ["model_index.json", "transformer"].contains {
            FileManager.default.fileExists(atPath: source.appendingPathComponent($0).path)
        }
        guard isModel || !(copy || textEncoder) else {
            throw CommandError.usage(
                "\(copy ? "--copy" : "--text-encoder") is for a whole model, and \(source.path) is a "
                    + "part or nothing; drop it")
        }
        func show(_ number: Int, _ count: Int) throws {
            try token.check()
            guard Terminal.isInteractive, !json else { return }
            let bar = ProgressBar(
                label: format.rawValue, fraction: Double(number) / Double(max(count, 1)),
                detail: "\(number) of \(counted(count, "tensor"))")
            let line = bar.line(width: Terminal.width, usesBlocks: Terminal.isUTF8)
            Terminal.writeError("\r\u{1B}[K\(line)")
        }
        let parts: [ModelPart] = textEncoder ? [.transformer, .textEncoder] : [.transformer]
        let reports =
            isModel
            ? try WeightConversion.writeModel(
                source, converting: parts, format, to: output, copies: copy, onTensor: show)
            : [try WeightConversion(source).write(format, to: output, onTensor: show)]
        if json {
            print(String(decoding: try JSONEncoder.sorted.encode(reports), as: UTF8.self))
        } else {
            if Terminal.isInteractive { Terminal.writeError("\r\u{1B}[K") }
            for report in reports { print(text(report)) }
        }
    }

    private func text(_ report: ConversionReport) -> String {
        let (before, after) = (
            CheckpointReport.size(report.bytesBefore), CheckpointReport.size(report.bytesAfter)
        )
        let tensors = counted(report.tensors, "tensor")
        guard let distance = report.signalToNoise, let bits = report.bitsPerWeight else {
            return "\(report.file)\n  \(before) -> \(after), \(tensors)"
        }
        let rounded = String(
            format: "%d of %@ rounded to %.2f bits a weight, %.1f dB above the error",
            report.roundedTensors, tensors, bits, distance)
        return "\(report.file)\n  \(before) -> \(after)\n  \(rounded)"
    }
}
