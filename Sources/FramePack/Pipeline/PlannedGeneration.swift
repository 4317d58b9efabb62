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
    ///   - memory: How it would use memory there.
    public func report(
        on device: Device, kernels: Kernels = .current, memory: MemoryPlan? = nil
    ) -> PlanReport {
        PlanReport(
            plan: plan, size: size, model: sizes(on: device, kernels),
            historyOrder: request.historyOrder, historyTimeWeight: request.historyTimeWeight,
            loras: loras, demand: request.memoryDemand, memoryPlan: memory)
    }

    /// How a run on a device uses memory.
    ///
    /// - Parameters:
    ///   - device: Where it would be generated.
    ///   - kernels: With which kernels.
    ///   - budget: What was allowed; it is kept, or refused.
    ///   - free: What is free; the run tries to get along with it.
    /// - Returns: nil where the model's sizes cannot be read.
    /// - Throws: `FramePackError.memoryBudget` that names what would fit in the budget.
    public func memoryPlan(
        on device: Device, kernels: Kernels = .current, budget: MemoryBudget = MemoryBudget(),
        free: MemoryBudget = MemoryBudget()
    ) throws -> MemoryPlan? {
        func made(_ planned: PlannedGeneration) -> MemoryPlan? {
            planned.sizes(on: device, kernels).map {
                MemoryPlan(
                    plan: planned.plan, size: planned.size, model: $0,
                    demand: planned.request.memoryDemand, device: device,
                    bound: budget.limited(to: free))
            }
        }
        guard let plan = made(self) else { return nil }
        try request.check(plan, against: budget) { made(try Self($0, model: model)) }
        return plan
    }

    /// The model's sizes for the types and kernels of a run.
    private func sizes(on device: Device, _ kernels: Kernels) -> ModelSize? {
        let precision =
            (try? model.precision(request, on: device, kernels: kernels))
            ?? Precision(request, stored: .bfloat16, device: device, kernels: kernels)
        var sizes = model.size?.computing(in: precision, on: device, request, kernels)
        let stored = try? ModelLibrary.quantizedWeights(model)
        if let stored {
            sizes?.transformerWeights = stored.byteCount
            sizes?.roundsTransformer = false
        }
        sizes?.convertsTransformer =
            stored == nil && (try? ModelLibrary.storedType(model)) != precision.transformer
        if device.kind == .cpu, kernels == .fused, Kernels.multiplyBytes,
            precision.weights == .int8 || stored?.formats.contains(.int8) == true
        {
            // Bytes that are multiplied are kept a second time, in the order of the product.
            let packed = sizes?.transformer.quantizableParameters ?? 0
            sizes?.packedTransformerBytes = packed
        }
        return sizes
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
