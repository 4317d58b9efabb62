import Checkpoints
import Foundation
import Media
import Models
public import Torch

/// What this machine can do; its JSON form is this type.
public struct DoctorReport: Codable, Equatable, Sendable {
    /// One GPU.
    public struct GPU: Codable, Equatable, Sendable {
        /// Its name.
        public let name: String
        /// Its memory in bytes.
        public let memory: Int
        /// Free memory in bytes.
        public let free: Int
        /// Its compute capability, such as 9.0; nil where that is not known.
        public let capability: String?
        /// Why this program's own kernels are not used on it; nil where they are.
        public let kernelProblem: String?
    }

    /// How quickly memory is copied.
    public struct Copy: Codable, Equatable, Sendable {
        /// From where, to where.
        public let path: String
        /// Bytes a second.
        public let rate: Double
    }

    /// The processor.
    public var processor: Processor
    /// Memory and disk.
    public var space: MachineSpace
    /// The GPUs that libtorch can use.
    public var gpus: [GPU] = []
    /// The version of the GPU's driver, where there is one.
    public var driver: String?
    /// Why there is no GPU, and what to do about it; nil where there is one.
    public var gpuProblem: String?
    /// libtorch's version.
    public var torchVersion: String
    /// Which processor features libtorch makes use of.
    public var torchCapability: String?
    /// The instructions that this program's own kernels use: AVX2, AVX512, AVX512-BF16, or none.
    public var kernels = Kernels.instructions
    /// Whether int8 weights are multiplied as bytes here.
    public var multipliesBytes = Kernels.multiplyBytes
    /// The GPU architectures that libtorch was built for.
    public var torchArchitectures: String?
    /// Threads of an operation.
    public var threads: Int
    /// Why FFmpeg's libraries cannot be used; nil where they can.
    public var mediaProblem: String?
    /// A transformer's blocks on each device.
    public var checks: [BlockCheck] = []
    /// Rates of each device at the released model's sizes.
    public var rates: [ComputeRates] = []
    /// Which way attention goes on GPUs, with the times of both ways; empty without a GPU.
    public var attention: [String] = []
    /// How the released model would use memory here at 608 x 640.
    public var memory: MemoryPlan?
    /// Rates of copying.
    public var copies: [Copy] = []
    /// Seconds of a frame.
    public var predictions: [SpeedPrediction] = []

    /// Looks at the machine; measures nothing yet.
    public init() {
        processor = Processor.current()
        space = MachineSpace.current()
        torchVersion = TorchLibrary.version
        threads = TorchLibrary.threadCount
        readTorch()
        readGPUs()
        do { _ = try Picture(width: 1, height: 1, red: 0, green: 0, blue: 0).pngData() } catch {
            mediaProblem = "\(error)"
        }
    }

    /// The devices that there are.
    public var devices: [Device] { [.cpu] + gpus.indices.map { .cuda($0) } }

    /// Whether everything works.
    public var isHealthy: Bool { mediaProblem == nil && checks.allSatisfy(\.isGood) }

    private mutating func readTorch() {
        let lines = (try? TorchLibrary.buildDescription())?.split(separator: "\n") ?? []
        func value(_ key: String) -> String? {
            lines.first { $0.contains(key) }.flatMap { line in
                line.split(separator: ":", maxSplits: 1).last?
                    .trimmingCharacters(in: .whitespaces)
            }
        }
        torchCapability = value("CPU capability usage")
        torchArchitectures = value("NVCC architecture flags")
    }

    private mutating func readGPUs() {
        driver = (try? String(contentsOfFile: "/proc/driver/nvidia/version", encoding: .utf8))?
            .split(separator: "\n").first.map(String.init)
        do { try Accelerator.loadCUDA() } catch {
            let reason = error.message.split(whereSeparator: \.isNewline).first ?? "no reason given"
            gpuProblem =
                driver == nil
                ? "no NVIDIA driver is loaded"
                : "libtorch's CUDA library does not work here (\(reason)); make setup DEVICE=cuda "
                    + "fetches what it needs"
            return
        }
        for index in 0..<Accelerator.cudaDeviceCount {
            gpus.append(GPU(index))
        }
        if gpus.isEmpty { gpuProblem = "libtorch's CUDA library is there, but it finds no GPU" }
    }

    /// Decides how the released model uses memory on the best device.
    ///
    /// - Parameter budget: What was allowed; what it allows less than is needed shows in the report.
    public mutating func planMemory(_ budget: MemoryBudget = MemoryBudget()) throws {
        guard let device = devices.last else { return }
        var request = GenerationRequest(prompt: "a")
        (request.width, request.height) = (608, 640)
        memory = try PlanReport.released(
            request, on: device, free: budget.limited(to: .free(on: device))
        ).memoryPlan
    }

    /// Runs a transformer's blocks on every device.
    public mutating func checkBlocks() throws {
        for device in devices {
            for dtype in [DType.float32, .bfloat16] where device != .cpu || dtype != .float32 {
                checks.append(try BlockCheck.run(on: device, dtype: dtype))
            }
        }
    }

    /// Measures every device.
    public mutating func measureRates() throws {
        for device in devices where device.kind == .cuda {
            try ComputeRates.attend(on: device)
        }
        for device in devices {
            for dtype in [DType.float32, .bfloat16] {
                rates.append(try .measured(.released, device: device, dtype: dtype))
            }
            copies.append(
                Copy(
                    path: "within \(device)",
                    rate: try ComputeRates.copyRate(from: device, to: device)))
            guard device != .cpu else { continue }
            copies.append(
                Copy(
                    path: "cpu to \(device)",
                    rate: try ComputeRates.copyRate(from: .cpu, to: device)))
        }
        attention = AttentionChoices.current.measurements.map(\.text)
    }

    /// Predicts the released model, and a small one where there is one, on the best device.
    ///
    /// - Parameter small: The small model; its rates are measured at its own sizes.
    public mutating func predict(small: ModelFolder?) throws {
        guard let device = devices.last else { return }
        let best = rates.filter { $0.device == "\(device)" }.max { $0.matmul < $1.matmul }
        if let best {
            predictions.append(
                SpeedPrediction(
                    .released, decoding: try .released(), steps: 25, window: 9, rates: best))
        }
        guard let small, let size = small.size else { return }
        let request = small.settings.request(prompt: "a")
        let frame = try request.size(
            picture: nil, defaultResolution: small.settings.resolution ?? 640)
        let plan = try request.plan(defaultOrder: small.defaultOrder)
        let video = plan.sections.map {
            $0.videoTokenCount(size: frame)
        }
        let tokens = (video.max() ?? 0) + size.visionTokens + 20
        let transformer = size.transformer
        let work = ComputeRates.Work(
            tokens: tokens, width: transformer.hiddenSize,
            heads: max(transformer.hiddenSize / max(transformer.headSize, 1), 1),
            channels: size.vaeChannels)
        let measured = try ComputeRates.measured(
            work, device: device, dtype: small.precision(request, on: device).transformer)
        let vae = try CheckpointFolder.json(VAEConfig.self, in: small.folder(of: .vae))
        let cost = SpeedPrediction.StepCost(
            "\(small.name) at \(frame)", size: transformer, tokens: tokens)
        predictions.append(
            SpeedPrediction(
                cost, decoding: DecodingCost(vae, plan: plan, size: frame), steps: request.steps,
                window: request.window, rates: measured))
    }
}

extension DoctorReport.GPU {
    /// Looks at a GPU that libtorch has found; compiles this program's kernels for it.
    init(_ index: Int) {
        let memory = try? Accelerator.memory(.cuda(index))
        name = (try? Accelerator.cudaName(index)) ?? "unknown"
        (self.memory, free) = (memory?.total ?? 0, memory?.free ?? 0)
        do {
            let kernels = try CUDAKernels(index)
            (capability, kernelProblem) = (kernels.capability, kernels.problem)
        } catch {
            (capability, kernelProblem) = (nil, error.message)
        }
    }
}
