import Checkpoints
public import Foundation
public import FramePack
import Torch

/// A video of many sections, each of which is measured: what a long video costs.
public struct LengthMeasurement {
    private let model: ModelFolder
    private let sectionCount: Int
    private let order: SamplingOrder?
    private let steps: Int?
    private let threads: Int
    private let version: String
    /// Changes the request, as tests do.
    private let adjust: (inout GenerationRequest) -> Void

    /// Prepares a measurement.
    ///
    /// - Parameters:
    ///   - model: The whole model.
    ///   - sectionCount: Sections of the video, 1 or more.
    ///   - order: The sampling order; nil for the model's.
    ///   - steps: Steps of a section; nil for the model's.
    ///   - threads: Threads of an operation; 0 for libtorch's choice.
    ///   - version: What the program calls itself, such as `framepack 0.1.0`.
    public init(
        _ model: ModelFolder, sectionCount: Int, order: SamplingOrder? = nil, steps: Int? = nil,
        threads: Int = 0, version: String
    ) {
        self.init(
            model, sectionCount: sectionCount, order: order, steps: steps, threads: threads,
            version: version, adjust: { _ in })
    }

    /// Prepares a measurement of another request.
    package init(
        _ model: ModelFolder, sectionCount: Int, order: SamplingOrder? = nil, steps: Int? = nil,
        threads: Int = 0, version: String, adjust: @escaping (inout GenerationRequest) -> Void
    ) {
        (self.model, self.sectionCount, self.order) = (model, sectionCount, order)
        (self.steps, self.threads, self.version) = (steps, threads, version)
        self.adjust = adjust
    }

    /// Makes the video in a folder and measures every section.
    ///
    /// - Parameters:
    ///   - folder: Where the job and the video lie meanwhile.
    ///   - cancellation: Ends the work from another thread.
    ///   - report: Is told how many sections are done.
    /// - Throws: `FramePackError` and others, as the pipeline.
    public func run(
        in folder: URL, cancellation: CancellationToken = CancellationToken(),
        report: (Int) -> Void = { _ in }
    ) throws -> LengthReport {
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        let request = request(in: folder)
        let loads = MachineLoad.now
        var options = PipelineOptions()
        options.previews = false
        let record = LengthRecord()
        let result = try withoutActuallyEscaping(report) { report in
            try Pipeline(model, options: options).run(request, cancellation: cancellation) {
                event in
                record.note(event, report)
            }
        }
        let joining = record.finish()
        let output = URL(fileURLWithPath: result.output)
        let size = try output.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        let processor = Processor.current()
        return LengthReport(
            setting: BenchmarkReport.Setting(
                processor: processor.name, cores: processor.cores, device: "\(options.device)",
                dtype: "as stored", threads: threads,
                day: Date.now.formatted(.iso8601.year().month().day()),
                ours: [version, "libtorch \(TorchLibrary.version)"], peer: []),
            model: model.name, order: (order ?? model.defaultOrder).rawValue,
            size: [result.width, result.height], window: request.window, steps: request.steps,
            framesPerSecond: result.fps, startSeconds: record.startSeconds,
            sections: record.sections, joining: joining, fileBytes: size,
            loadAverages: [loads, MachineLoad.now].compactMap { $0 })
    }

    private func request(in folder: URL) -> GenerationRequest {
        var request = model.settings.request(prompt: "a red circle moves slowly to the right")
        (request.order, request.seed) = (order, 1)
        if let steps { request.steps = steps }
        adjust(&request)
        // Without the start's own frame, which would begin another section.
        request.frames = 4 * request.window * sectionCount
        request.output = folder.appendingPathComponent("video.mp4").path
        return request
    }
}

/// Turns a run's events into figures of its sections.
private final class LengthRecord {
    private let meter = SectionMeter()
    private var tokens: [Int] = []
    private(set) var startSeconds = 0.0
    private(set) var sections: [SectionFigures] = []
    private var isInSection = false

    func note(_ event: PipelineEvent, _ report: (Int) -> Void) {
        switch event.kind {
        case .planned(let plan): tokens = plan.sections.map(\.tokens)
        case .stage(.sample), .stage(.write):
            let figures = meter.finishPiece(tokens: isInSection ? tokens[sections.count] : 0)
            if isInSection {
                sections.append(figures)
                report(sections.count)
            } else {
                (startSeconds, isInSection) = (figures.seconds, true)
            }
        default: break
        }
    }

    /// Ends the measurement; gives what came after the last section.
    func finish() -> SectionFigures {
        defer { meter.end() }
        return meter.finishPiece(tokens: 0)
    }
}

/// How much the machine has to do.
enum MachineLoad {
    /// The load average over a minute; nil where the system does not tell.
    static var now: Double? {
        var loads = [0.0]
        return getloadavg(&loads, 1) == 1 ? loads[0] : nil
    }
}
