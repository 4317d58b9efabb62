import Foundation
import FramePack

/// What a training needs: memory and time, line by line.
///
/// With N tokens of width C, block by block:
/// - A checkpoint is the block's input, N C numbers. Without checkpoints a block keeps 15 N C: its
///   input, the modulated form, q, k, v, attention's result, the feed-forward layer (4 C) and both
///   joined (5 C).
/// - The backward pass of a block holds those 15 N C and 12 N C of gradients: of the joined tensor
///   (5 C), the feed-forward layer (4 C), q, k and v.
/// - The linear layers take 24 N C² operations a block, attention 4 N² C; the backward pass twice as
///   many, but for a LoRA, which needs no gradients of the frozen weights; computing a block again
///   takes as many as the forward pass.
///
/// Embeddings, the refiner, the loss and the LoRA's own operations are left out; together they are
/// below 2 %.
public struct TrainingPlanReport: Codable, Equatable, Sendable {
    /// One line of the arithmetic.
    public struct Line: Codable, Equatable, Sendable {
        /// What it is.
        public let name: String
        /// How it comes about.
        public let arithmetic: String
        /// Bytes, or operations.
        public let amount: Double
    }

    /// What was asked.
    public let plan: TrainingPlan
    /// Tokens of a sample, N.
    public let tokens: Int
    /// How the tokens come about.
    public let tokenArithmetic: String
    /// What one GPU holds, in bytes.
    public let memory: [Line]
    /// The sum of it.
    public let memoryOfOneGPU: Double
    /// Whether the sum is at most the GPU's memory.
    public let fits: Bool
    /// Whether it is more than 95 % of that, which pieces of memory between tensors may well take.
    public let isTight: Bool
    /// Samples that a GPU computes at once, in the largest of its passes.
    public let samplesAtOnce: Int
    /// Its passes in a step.
    public let accumulation: Int
    /// What one sample takes, in operations.
    public let work: [Line]
    /// The sum of it.
    public let operationsOfASample: Double
    /// Seconds of a step at the sustained rate, without waiting for other GPUs or for data.
    public let secondsPerStep: Double
    /// Hours of the run; nil where it has no length.
    public let hours: Double?
}

extension TrainingPlan {
    /// Works the plan out.
    ///
    /// - Throws: `TrainingError` that names a number out of its range; `FramePackError` for a window
    ///   that cannot be.
    public func report() throws -> TrainingPlanReport {
        try validate()
        let video = try videoTokens()
        let tokens = video.target + video.context + visionTokens + textTokens
        let share = batch / gpus
        // The fewest equal ones that fit, or one for each sample where not even that does.
        let choices = (1...share).filter { share % $0 == 0 }
        let comfortable = Self.comfortableShare * Double(gpuMemory)
        let passes =
            accumulation ?? choices.first {
                sum(memoryLines(tokens: tokens, samples: share / $0)) <= comfortable
            } ?? share
        let atOnce = (share + passes - 1) / passes
        let memory = memoryLines(tokens: tokens, samples: atOnce)
        let work = workLines(tokens: tokens)
        let seconds = sum(work) * Double(share) / sustainedRate
        return TrainingPlanReport(
            plan: self, tokens: tokens,
            tokenArithmetic: "\(video.target) generated + \(video.context) context + "
                + "\(visionTokens) vision + \(textTokens) text",
            memory: memory, memoryOfOneGPU: sum(memory), fits: sum(memory) <= Double(gpuMemory),
            isTight: sum(memory) > comfortable,
            samplesAtOnce: atOnce, accumulation: passes, work: work,
            operationsOfASample: sum(work), secondsPerStep: seconds,
            hours: steps.map { Double($0) * seconds / 3600 })
    }

    private typealias Line = TrainingPlanReport.Line

    private func sum(_ lines: [Line]) -> Double { lines.reduce(0) { $0 + $1.amount } }

    /// Tensors that are trained.
    private var trained: [TrainedTensors] {
        switch method {
        case .full: transformer.trainedTensors
        case .lora(let rank): transformer.trainedTensors.flatMap { $0.adapters(rank: rank) }
        }
    }

    private var trainedBytes: Int { method == .full ? weightBytes : adapterBytes }

    private func memoryLines(tokens: Int, samples: Int) -> [Line] {
        weightLines + stateLines + activationLines(tokens: tokens, samples: samples) + [
            Line(
                name: "context and fragments", arithmetic: "assumed",
                amount: Double(Self.reserve))
        ]
    }

    /// A line of so many numbers, spread over the GPUs where they share.
    private func line(_ name: String, _ numbers: Int, bytes: Int) -> Line {
        let shards = isSharded ? gpus : 1
        return Line(
            name: name,
            arithmetic: "\(millions(numbers)) x \(bytes) B" + (shards > 1 ? " / \(shards)" : ""),
            amount: Double(numbers * bytes) / Double(shards))
    }

    private var weightLines: [Line] {
        let frozen = method == .full ? "weights" : "weights, which stay"
        var lines = [line(frozen, transformer.parameterCount, bytes: weightBytes)]
        let numbers = trained.reduce(0) { $0 + $1.weights }
        if case .lora(let rank) = method {
            lines.append(line("LoRA, rank \(rank)", numbers, bytes: adapterBytes))
        }
        lines.append(line("gradients", numbers, bytes: trainedBytes))
        if isSharded {
            // Blocks are put together one after the other, what is in none for the whole step.
            let blocks =
                transformer.doubleBlocks * transformer.doubleBlockParameters
                + transformer.singleBlocks * transformer.singleBlockParameters
            let copies = method == .full ? 2 : 1
            let what = method == .full ? " x 2: and gradients" : ""
            for (name, numbers) in [
                ("a block put together", transformer.doubleBlockParameters),
                ("what is in no block", transformer.parameterCount - blocks),
            ] {
                lines.append(
                    Line(
                        name: name,
                        arithmetic: "\(millions(numbers)) x \(weightBytes) B" + what,
                        amount: Double(numbers * weightBytes * copies)))
            }
        }
        return lines
    }

    private var stateLines: [Line] {
        let shards = isSharded ? gpus : 1
        let bytes = trained.reduce(0) { $0 + $1.stateBytes(optimizer) }
        let how =
            switch optimizer {
            case .adamw: "two moments of 4 B a weight"
            case .adamw8bit: "two moments of 1 B a weight, and scales"
            case .adafactor: "4 B a row and a column"
            }
        var lines = [
            Line(
                name: "state of \(optimizer.rawValue)",
                arithmetic: how + (shards > 1 ? " / \(shards)" : ""),
                amount: Double(bytes) / Double(shards))
        ]
        if isAveraged {
            lines.append(
                line("averages", trained.reduce(0) { $0 + $1.weights }, bytes: trainedBytes))
        }
        return lines
    }

    private func activationLines(tokens: Int, samples: Int) -> [Line] {
        let blocks = transformer.doubleBlocks + transformer.singleBlocks
        let unit = 2 * samples * tokens * transformer.hiddenSize
        let each = samples > 1 ? " x \(samples)" : ""
        guard checkpointsActivations else {
            return [
                Line(
                    name: "activations", arithmetic: "15 N C x 2 B x \(blocks) blocks\(each)",
                    amount: Double(15 * blocks * unit)),
                Line(
                    name: "gradients of a block", arithmetic: "12 N C x 2 B\(each)",
                    amount: Double(12 * unit)),
            ]
        }
        return [
            Line(
                name: "checkpoints", arithmetic: "N C x 2 B x \(blocks) blocks\(each)",
                amount: Double(blocks * unit)),
            Line(
                name: "a block again, backwards", arithmetic: "(15 + 12) N C x 2 B\(each)",
                amount: Double(27 * unit)),
        ]
    }

    private func workLines(tokens: Int) -> [Line] {
        let cost = SpeedPrediction.StepCost("", size: transformer, tokens: tokens)
        let forward = cost.linear + cost.attention
        var lines = [
            Line(name: "forward, linear", arithmetic: "24 N C^2 a block", amount: cost.linear),
            Line(name: "forward, attention", arithmetic: "4 N^2 C a block", amount: cost.attention),
        ]
        if checkpointsActivations {
            lines.append(
                Line(name: "forward again", arithmetic: "from the checkpoints", amount: forward))
        }
        switch method {
        case .full:
            lines.append(
                Line(name: "backward", arithmetic: "twice the forward pass", amount: 2 * forward))
        case .lora:
            lines.append(
                Line(
                    name: "backward", arithmetic: "linear once, attention twice",
                    amount: cost.linear + 2 * cost.attention))
        }
        return lines
    }

    private func millions(_ numbers: Int) -> String {
        String(format: numbers < 100_000_000 ? "%.1fM" : "%.0fM", Double(numbers) / 1e6)
    }
}
