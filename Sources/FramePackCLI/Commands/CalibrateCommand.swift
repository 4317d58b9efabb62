import ArgumentParser
import Foundation
import FramePack
import Media
import Torch

/// `framepack calibrate`.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "Measure what the step cache magcache has to know of a model.",
        usage: "framepack calibrate --prompt <prompt> [<options>]",
        discussion: """
            Samples a section for each prompt with all blocks, and writes how the length of what \
            they add changes from step to step into the model's framepack.json, as \
            magnitudeRatios. One prompt suffices. The released models need no calibration; models \
            trained from others, or used with other samplers, do.
            """)

    @Option(
        parsing: .unconditionalSingleValue, help: "What moves, and how; may be repeated.")
    var prompt: [String]
    @Option(help: ArgumentHelp("The picture that the video begins with.", valueName: "file"))
    var image: String?
    @Option(
        help: ArgumentHelp(
            "A model's folder. (default: as for generate)", valueName: "folder"))
    var model: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sections of each video, 1 to 100.", valueName: "count"))
    var sections = 1
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps of a section, 1 to 100. (default: the model's, 25)", valueName: "count"))
    var steps: Int?
    @Option(help: "The sampler.")
    var sampler = SamplerChoice.unipc
    @Option(help: "Order of the sections. (default: the model's)")
    var order: SamplingOrder?
    @Option(help: ArgumentHelp("Where to compute: auto, cpu, cuda.", valueName: "device"))
    var device = DeviceOption.best
    @Flag(help: "Only print the ratios; leave the model's framepack.json as it is.")
    var dryRun = false

    func validate() throws {
        try checkOption("sections", sections, 1...100)
    }

    func run() throws {
        let model = try ModelFolder.locate(model)
        let requests = try prompt.map { try request($0, model) }
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let generator = try FrameGenerator(model, device: device.resolved())
        let measured = try requests.map { request in
            try generator.magnitudeRatios(
                request, from: picture(request, model), cancellation: token)
        }
        let ratios = MagnitudeRatios.mean(of: measured)
        print(ratios.values.map { String(format: "%.5f", $0) }.joined(separator: " "))
        guard !dryRun else { return }
        try model.write(ratios.rounded())
        print("They are in \(model.settingsFile.path) now.")
    }

    private func request(_ prompt: String, _ model: ModelFolder) throws -> GenerationRequest {
        var request = model.settings.request(prompt: prompt, image: image)
        request.steps = steps ?? request.steps
        (request.sampler, request.order) = (sampler, order)
        request.frames = VideoLength.frameCount(latents: sections * request.window + 1)
        try request.validate()
        return request
    }

    /// The start picture in the size that `generate` would take.
    private func picture(_ request: GenerationRequest, _ model: ModelFolder) throws -> Picture? {
        guard let image else { return nil }
        let size = try PlannedGeneration(request, model: model).size
        return try Picture(contentsOf: URL(fileURLWithPath: image))
            .resizedAndCentreCropped(width: size.width, height: size.height)
    }
}
