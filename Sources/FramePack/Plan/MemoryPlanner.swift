import Models
public import Torch

/// Decides how a run uses memory: as quickly as what it may take allows.
///
/// It begins with the quickest way and gives up what costs least, one thing after the other, until every
/// stage fits. Nothing that it gives up changes a number of the result by more than the order of sums.
struct MemoryPlanner {
    /// Where the networks compute.
    let device: Device
    /// What may be taken.
    let bound: MemoryBudget
    /// The model's sizes.
    let model: ModelSize
    /// What the parts take with pieces of given sizes.
    let estimate: (MemoryChunks) -> MemoryEstimate

    /// What CUDA's context, its libraries' kernels and their workspaces take of a GPU.
    ///
    /// It has not been measured.
    static let deviceBase = 512 << 20
    /// What a process takes before it computes anything: libraries, threads, kernels that oneDNN makes.
    static let machineBase = 176 << 20
    /// What CUDA takes of the machine beside that.
    ///
    /// It has not been measured.
    static let deviceHost = 512 << 20

    private var isCPU: Bool { device.kind == .cpu }

    /// The plan; where even the most frugal one does not fit, that.
    func plan() -> MemoryPlan {
        var plan = quickest
        for relief in isCPU ? machineReliefs : deviceReliefs {
            if plan.fits { break }
            relief(&plan)
            update(&plan)
        }
        return plan
    }

    private var quickest: MemoryPlan {
        let placement: WeightPlacement = isCPU ? .mapped : .resident
        let copies = model.convertsTransformer || model.roundsTransformer
        var plan = MemoryPlan(
            device: "\(device)", transformer: isCPU && copies ? .resident : placement,
            textEncoders: placement, visionEncoder: placement, bound: bound)
        update(&plan)
        return plan
    }

    // MARK: - What is given up, in this order

    private typealias Relief = (inout MemoryPlan) -> Void

    private var machineReliefs: [Relief] {
        [
            { $0.chunks.keptFreed = 1 << 20 },
            { $0.chunks.decoding = 16 << 20 },
            { $0.keepsVAE = false },
            { $0.chunks.tokens = 512 },
            { if model.convertsTransformer { stream(&$0) } },
            { $0.chunks.keptConditions = 0 },
            { $0.chunks.decoding = 4 << 20 },
            { $0.chunks.tokens = 128 },
        ]
    }

    private var deviceReliefs: [Relief] {
        [
            { if !$0.fits(.encodeText) { $0.textEncoders = streamedEncoder } },
            { if !$0.fits(.encodeImage) { $0.visionEncoder = streamedEncoder } },
            { $0.chunks.tokens = 1024 },
            { stream(&$0) },
            { $0.chunks.keptFreed = 1 << 20 },
            { $0.keepsVAE = false },
            { $0.chunks.decoding = 16 << 20 },
            { $0.chunks.tokens = 512 },
            { $0.chunks.keptConditions = 0 },
            { $0.chunks.tokens = 128 },
        ]
    }

    private var streamedEncoder: WeightPlacement {
        .streamed(ring: 2 * estimate(MemoryChunks()).encoderLargestWeight, resident: 0)
    }

    /// Streams the transformer; ``update(_:)`` finds how much of it may stay.
    private func stream(_ plan: inout MemoryPlan) {
        guard !model.roundsTransformer else { return }
        let largest = estimate(plan.chunks).transformerLargestWeight
        plan.transformer = .streamed(ring: 5 * largest / 2, resident: 0)
    }

    // MARK: - What the stages take

    private func update(_ plan: inout MemoryPlan) {
        let estimate = estimate(plan.chunks)
        plan.stages = stages(plan, estimate)
        guard case .streamed(let ring, _) = plan.transformer else { return }
        // What is left over in both stages that the transformer lives in holds weights for good.
        let left = plan.stages.filter { [.sample, .decode].contains($0.stage) }.map {
            isCPU
                ? (plan.bound.machine ?? .max) - $0.machine
                : (plan.bound.device ?? .max) - $0.device
        }.min()
        let resident = min(max(left ?? 0, 0), estimate.transformerParameters)
        plan.transformer = .streamed(ring: ring, resident: resident)
        plan.stages = stages(plan, estimate)
    }

    private func stages(_ plan: MemoryPlan, _ e: MemoryEstimate) -> [MemoryPlan.StageMemory] {
        func bytes(_ placement: WeightPlacement, of all: Int) -> (ring: Int, held: Int) {
            switch placement {
            case .mapped: (0, 0)
            case .resident: (0, all)
            case .streamed(let ring, let resident): (ring, resident)
            }
        }
        func stage(_ stage: Stage, compute: Int, machine: Int = 0) -> MemoryPlan.StageMemory {
            MemoryPlan.StageMemory(
                stage: stage, device: isCPU ? 0 : Self.deviceBase + compute,
                machine: Self.machineBase + plan.chunks.keptFreed + machine
                    + (isCPU ? compute : Self.deviceHost))
        }
        var transformer = bytes(plan.transformer, of: e.transformerParameters)
        transformer.held += model.packedTransformerBytes
        let text = bytes(plan.textEncoders, of: e.textEncoderParameters)
        let vision = bytes(plan.visionEncoder, of: e.visionEncoderParameters)
        // A layer's weight and its activations are there in the type that is computed in.
        let layer = 2 * e.encoderLargestWeight
        // On a CPU they stay in the file, and those of convolutions are there in the order of their product.
        let vae = e.vaeParameters
        return [
            stage(.encodeText, compute: text.ring + text.held + layer),
            stage(
                .encodeImage,
                compute: max(vision.ring + vision.held + layer, vae + e.pictureActivations)),
            stage(
                .sample,
                compute: transformer.ring + transformer.held + e.transformerActivations
                    + e.keptConditions + e.keptContext + (plan.keepsVAE ? vae : 0)
                    + (isCPU ? 0 : e.keptWindows),
                machine: e.latents + e.writing + (isCPU ? e.keptWindows : 0)),
            stage(
                .decode,
                compute: transformer.held + e.keptConditions + vae + e.decoderActivations
                    + e.keptWindows,
                machine: e.latents + e.writing),
        ]
    }
}
