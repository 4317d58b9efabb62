import Foundation
import Torch

/// The rows `sigmas` and `sample` of the probe.
enum ScheduleProbe {
    /// The schedule that the options ask for.
    static func schedule(_ options: ProbeOptions) throws -> FlowSchedule {
        guard let steps = options.steps, (1...100_000).contains(steps) else {
            throw FramePackError.invalidSetting(
                name: "steps", found: options.steps.map(String.init) ?? "missing",
                wanted: "from 1 to 100000")
        }
        // Beyond this neighbouring levels are one number.
        if let shift = options.shift, !(1e-6...1e6).contains(shift) {
            throw FramePackError.invalidSetting(
                name: "shift", found: plainText(shift), wanted: "from 0.000001 to 1000000")
        }
        guard options.shift != nil || options.tokens != nil else {
            throw FramePackError.invalidSetting(
                name: "tokens", found: "missing", wanted: "1 or more, unless shift is given")
        }
        let tokens = options.tokens ?? 1
        guard (1...1_000_000_000).contains(tokens) else {
            throw FramePackError.invalidSetting(
                name: "tokens", found: "\(tokens)", wanted: "from 1 to 1000000000")
        }
        return FlowSchedule(tokenCount: tokens, stepCount: steps, shift: options.shift)
    }

    /// A sampler on a closed form in the network's place.
    static func sample(_ file: URL, _ options: ProbeOptions) throws -> [String: Tensor] {
        let schedule = try schedule(options)
        let input = try ProbeInput(file: file, known: ["noise"])
        let rank = input.tensors["noise"]?.rank ?? 0
        let noise = try input.numbers(
            "noise", [Int?](repeating: nil, count: rank), "numbers of any shape")
        return try SampleProbe.run(
            noise: noise, sampler: options.sampler, schedule: schedule,
            function: options.function)
    }
}
