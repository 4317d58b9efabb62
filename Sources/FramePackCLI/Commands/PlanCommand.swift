import ArgumentParser
import Foundation
import FramePack
import Torch

/// `framepack plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print sections, times, tokens and memory before anything is loaded.",
        discussion: """
            Takes the options of generate. Without --model the sizes are the released model's, \
            and no model has to be there.
            """)

    @OptionGroup var arguments: RequestArguments
    @Option(
        parsing: .unconditional,
        help: "Where it would be generated, which decides the memory: cpu, cuda, cuda:N, or auto.")
    var device = DeviceOption.best
    @Option(help: "With which kernels on a CPU: fused, or libtorch's plain ones.")
    var kernels = Kernels.fused
    @OptionGroup var memory: MemoryOptions
    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        let like = try arguments.likeRequest()
        let named = arguments.output.model ?? like?.model
        let model = try named.map { try ModelFolder(URL(fileURLWithPath: $0)) }
        var request =
            like ?? model?.settings.request(prompt: "...")
            ?? GenerationRequest(prompt: "...")
        try arguments.apply(to: &request)
        let report = try report(request, model)
        guard json else {
            print(report.table)
            if model == nil { print("\nSizes of the released model; --model names another.") }
            return
        }
        print(String(decoding: try JSONEncoder.sorted.encode(report), as: UTF8.self))
    }

    private func report(_ request: GenerationRequest, _ model: ModelFolder?) throws -> PlanReport {
        let device = device.planned
        let free = MemoryBudget.free(on: device)
        if let model {
            let planned = try PlannedGeneration(request, model: model)
            let memory = try planned.memoryPlan(
                on: device, kernels: kernels, budget: memory.budget, free: free)
            return planned.report(on: device, kernels: kernels, memory: memory)
        }
        return try .released(
            request, on: device, kernels: kernels, budget: memory.budget, free: free)
    }
}
