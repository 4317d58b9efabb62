import Models
public import Torch

extension MemoryBudget {
    /// What is free on a device and in the machine now; nil where that is not known.
    public static func free(on device: Device) -> MemoryBudget {
        MemoryBudget(
            device: (try? Accelerator.memory(device))?.free,
            machine: MachineSpace.current().availableMemory)
    }

    /// The smaller of both, for each memory.
    func limited(to other: MemoryBudget) -> MemoryBudget {
        func least(_ a: Int?, _ b: Int?) -> Int? {
            guard let a, let b else { return a ?? b }
            return min(a, b)
        }
        return MemoryBudget(
            device: least(device, other.device), machine: least(machine, other.machine))
    }
}

extension MemoryPlan {
    /// Decides how a generation uses memory.
    ///
    /// - Parameters:
    ///   - plan: The sections.
    ///   - size: The video's size.
    ///   - model: The model's sizes, for the types and kernels of the run.
    ///   - demand: What else of the request matters.
    ///   - device: Where the networks compute.
    ///   - bound: What may be taken; where even the most frugal way takes more, that way is the plan,
    ///     and ``fits`` is false.
    public init(
        plan: SectionPlan, size: FrameSize, model: ModelSize, demand: MemoryDemand,
        device: Device, bound: MemoryBudget
    ) {
        self = MemoryPlanner(device: device, bound: bound, model: model) {
            MemoryEstimate(plan: plan, size: size, model: model, demand: demand, chunks: $0)
        }.plan()
    }

    /// The usual way: nothing is given up for memory.
    package static func usual(on device: Device) -> MemoryPlan {
        let placement: WeightPlacement = device.kind == .cpu ? .mapped : .resident
        return MemoryPlan(
            device: "\(device)", transformer: placement, textEncoders: placement,
            visionEncoder: placement, bound: MemoryBudget())
    }

    /// The first stage that takes more than it may; nil where all fit.
    func shortage(of budget: MemoryBudget) -> MemoryShortage? {
        let pairs: [(Bool, Int?, KeyPath<StageMemory, Int>)] = [
            (true, budget.device, \.device), (false, budget.machine, \.machine),
        ]
        for (isDevice, allowed, memory) in pairs {
            guard let allowed,
                let stage = stages.max(by: { $0[keyPath: memory] < $1[keyPath: memory] }),
                stage[keyPath: memory] > allowed
            else { continue }
            return MemoryShortage(
                stage: stage.stage, isDevice: isDevice, needed: stage[keyPath: memory],
                budget: allowed)
        }
        return nil
    }
}

extension GenerationRequest {
    /// Checks a plan against a budget.
    ///
    /// - Parameters:
    ///   - plan: The plan of this request.
    ///   - budget: What was allowed.
    ///   - make: The plan of a changed request.
    /// - Throws: `FramePackError.memoryBudget` that names what would fit.
    package func check(
        _ plan: MemoryPlan, against budget: MemoryBudget,
        _ make: (GenerationRequest) throws -> MemoryPlan?
    ) throws {
        guard var shortage = plan.shortage(of: budget) else { return }
        shortage.remedies = changes.compactMap { requests in
            requests.first { change in
                guard let plan = try? make(change.request) else { return false }
                return plan.shortage(of: budget) == nil
            }?.setting
        }
        throw FramePackError.memoryBudget(shortage)
    }

    /// Requests that take less, of each kind the smallest change first.
    private var changes: [[(setting: String, request: GenerationRequest)]] {
        let sides = [512, 384, 256, 128]
        func smaller(_ side: Int, tiling: Bool) -> GenerationRequest {
            var request = self
            (request.width, request.height, request.resolution) = (nil, nil, side)
            request.tiling = tiling
            return request
        }
        let resolutions = sides.map { ("--resolution \($0)", smaller($0, tiling: tiling)) }
        guard !tiling else { return [resolutions] }
        var tiled = self
        tiled.tiling = true
        let both = sides.map { ("--tiling --resolution \($0)", smaller($0, tiling: true)) }
        return [[("--tiling", tiled)] + both, resolutions]
    }
}
