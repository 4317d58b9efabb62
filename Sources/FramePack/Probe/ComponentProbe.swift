import Checkpoints
public import Foundation
import Torch

/// Runs one component on the tensors of a file and writes what it gives into another.
///
/// It is how any part of the system is held against a reference implementation.
public struct ComponentProbe {
    private let component: ProbeComponent
    private let options: ProbeOptions

    /// Chooses what to run and how.
    public init(_ component: ProbeComponent, options: ProbeOptions = ProbeOptions()) {
        (self.component, self.options) = (component, options)
    }

    /// Reads, runs and writes; the output appears whole or not at all.
    ///
    /// - Parameters:
    ///   - model: The component's folder; `sigmas` and `sample` need none.
    ///   - input: A safetensors file, JSON for `tokenize`; `sigmas` needs none.
    ///   - output: What is written, in the same format.
    /// - Throws: What says which file, tensor or option is wrong.
    public func run(model: URL?, input: URL?, output: URL) throws {
        if component == .tokenize {
            let folder = try needed(model, "--model, the tokenizer's folder")
            let texts = try needed(input, "--input, a JSON array of strings")
            try AtomicFile.write(try TokenizerProbe.run(folder: folder, texts: texts), to: output)
            return
        }
        let results = try Kernels.plainly { try tensors(model: model, input: input) }
        try writeSafetensors(try results.mapValues(finished), to: output)
    }

    /// What a component gives for an input, by name.
    func tensors(model: URL?, input: URL?) throws -> [String: Tensor] {
        if component == .sigmas {
            return ["sigmas": try Tensor(ScheduleProbe.schedule(options).sigmas)]
        }
        let input = try needed(input, "--input, a safetensors file")
        if component == .sample { return try ScheduleProbe.sample(input, options) }
        if options.device.kind == .cuda { try Accelerator.loadCUDA() }
        let folder = try needed(model, "--model, the component's folder")
        switch component {
        case .transformer: return try TransformerProbe(folder, options).run(input)
        case .vaeEncode: return try VAEProbe(folder, options).encode(input)
        case .vaeDecode: return try VAEProbe(folder, options).decode(input)
        case .llama: return try EncoderProbe(folder, options).llama(input)
        case .clip: return try EncoderProbe(folder, options).clip(input)
        case .siglip: return try EncoderProbe(folder, options).siglip(input)
        case .pipeline: return try runPipeline(folder, input, options)
        case .tokenize, .sigmas, .sample: return [:]
        }
    }

    private func needed(_ url: URL?, _ what: String) throws -> URL {
        guard let url else {
            throw FramePackError.probe("\(component.rawValue) needs \(what).")
        }
        return url
    }

    /// A result as files have it: on the CPU, contiguous, float32 or int64.
    private func finished(_ tensor: Tensor) throws -> Tensor {
        try tensor.to(.cpu, tensor.dtype.isFloatingPoint ? .float32 : .int64).contiguous()
    }
}
