public import Torch

extension PlanReport {
    /// The plan of a request with the released model, which need not be there.
    ///
    /// - Parameters:
    ///   - request: What is asked for.
    ///   - device: Where it would be generated.
    ///   - kernels: With which kernels.
    ///   - budget: What was allowed of memory; it is kept, or refused.
    ///   - free: What is free.
    /// - Throws: `FramePackError` for an invalid request; its `.memoryBudget` names what would fit.
    public static func released(
        _ request: GenerationRequest, on device: Device, kernels: Kernels = .current,
        budget: MemoryBudget = MemoryBudget(), free: MemoryBudget = MemoryBudget()
    ) throws -> PlanReport {
        let precision = Precision(
            request, stored: .bfloat16, device: device, kernels: kernels)
        func parts(_ request: GenerationRequest) throws -> (SectionPlan, FrameSize, ModelSize) {
            var model = ModelSize().computing(in: precision, on: device, request, kernels)
            model.convertsTransformer = precision.transformer != .bfloat16
            return (try request.plan(), try request.size(picture: request.pictureSize()), model)
        }
        func made(_ request: GenerationRequest) throws -> MemoryPlan {
            let (plan, size, model) = try parts(request)
            return MemoryPlan(
                plan: plan, size: size, model: model, demand: request.memoryDemand,
                device: device, bound: budget.limited(to: free))
        }
        let (plan, size, model) = try parts(request)
        let memory = try made(request)
        try request.check(memory, against: budget, made)
        return PlanReport(
            plan: plan, size: size, model: model, historyOrder: request.historyOrder,
            historyTimeWeight: request.historyTimeWeight,
            loras: try LoRAReport.reports(request.lora, plan: plan),
            demand: request.memoryDemand, memoryPlan: memory)
    }
}
