import Foundation
package import Media
public import Torch
import TorchNN

/// What a request means with a model, told without reading any weights.
public struct PlannedGeneration: Sendable {
    /// The request.
    public let request: GenerationRequest
    /// The model.
    public let model: ModelFolder
    /// The sections.
    public let plan: SectionPlan
    /// The video's size.
    public let size: FrameSize
    /// What becomes of the request's LoRA files.
    public let loras: [LoRAReport]

    /// Plans a request; of its pictures only the sizes are used.
    ///
    /// - Throws: `FramePackError` for an invalid request, `MediaError` for a picture that cannot be
    ///   read, `CheckpointError` and `ModelError` for a LoRA file that does not fit.
    public init(_ request: GenerationRequest, model: ModelFolder) throws {
        try request.validate()
        try self.init(
            request, model: model,
            size: request.size(
                picture: request.pictureSize(),
                defaultResolution: model.settings.resolution ?? 640))
    }

    /// Plans a request at a size that is known.
    init(_ request: GenerationRequest, model: ModelFolder, size: FrameSize) throws {
        (self.request, self.model, self.size) = (request, model, size)
        let plan = try request.plan(defaultOrder: model.defaultOrder)
        self.plan = plan
        try model.check(plan.packing)
        if request.stepCache == .magcache { _ = try model.magnitudeRatios() }
        loras =
            request.lora.isEmpty
            ? []
            : try LoRAReport.reports(
                request.lora, plan: plan, config: model.transformerConfig())
    }

    /// The plan for people and programs, with tokens, and memory as it is needed on a device.
    ///
    /// - Parameters:
    ///   - device: Where it would be generated.
    ///   - kernels: With which kernels.
    public func report(on device: Device, kernels: Kernels = .current) -> PlanReport {
        let precision =
            (try? model.precision(request, on: device, kernels: kernels))
            ?? Precision(request, stored: .bfloat16, device: device, kernels: kernels)
        var sizes = model.size?.computing(in: precision)
        let stored = try? ModelLibrary.quantizedWeights(model)
        if let stored { sizes?.transformerWeights = stored.byteCount }
        if device.kind == .cpu, kernels == .fused, Kernels.multiplyBytes,
            precision.weights == .int8 || stored?.formats.contains(.int8) == true
        {
            // Bytes that are multiplied are kept a second time, in the order of the product.
            let packed = sizes?.transformer.quantizableParameters ?? 0
            sizes?.transformerWeights? += packed
        }
        sizes?.decodesInPieces =
            device.kind == .cpu && kernels == .fused && Kernels.level > 0 && !request.parity
        return PlanReport(
            plan: plan, size: size, model: sizes, historyOrder: request.historyOrder,
            historyTimeWeight: request.historyTimeWeight, loras: loras,
            keptContexts: request.keptContexts, tiling: request.vaeTiling)
    }

    /// The start picture, cut to the video's size; a plain one for a start from text alone.
    func startPicture() throws -> Picture {
        try picture(request.image) ?? model.settings.plainPicture(size)
    }

    /// The end picture, cut to the video's size.
    func endPicture() throws -> Picture? { try picture(request.endImage) }

    private func picture(_ path: String?) throws -> Picture? {
        guard let path else { return nil }
        return try Picture(contentsOf: URL(fileURLWithPath: path))
            .resizedAndCentreCropped(width: size.width, height: size.height)
    }
}

extension ModelSettings {
    /// The picture that a start from text alone begins with.
    package func plainPicture(_ size: FrameSize) -> Picture {
        let colour = plainColour ?? [0, 0, 0]
        return Picture(
            width: size.width, height: size.height, red: colour[0], green: colour[1],
            blue: colour[2])
    }
}
