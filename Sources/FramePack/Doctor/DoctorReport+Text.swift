import Foundation

extension DoctorReport {
    /// The report as text of at most 80 columns.
    public var text: String {
        let found = (machineLines + libraryLines + checkLines).flatMap(Self.wrapped)
        let expected = (rateLines + predictionLines).flatMap(Self.wrapped)
        return (found + memoryLines + expected).joined(separator: "\n")
    }

    private var machineLines: [String] {
        let has = Processor.featureNames.filter { processor.features[$0] == true }
        let lacks = Processor.featureNames.filter { processor.features[$0] != true }
        var lines = [
            "processor   \(processor.name), \(counted(processor.cores, "core"))",
            "            has \(list(has)); lacks \(list(lacks))",
            "memory      \(size(space.memory))"
                + (space.availableMemory.map { ", \(size($0)) available" } ?? ""),
        ]
        if let disk = space.freeDisk { lines.append("disk        \(size(disk)) free here") }
        for (index, gpu) in gpus.enumerated() {
            lines.append(
                "gpu \(index)       \(gpu.name), \(size(gpu.memory)), \(size(gpu.free)) free")
            lines.append("            \(kernels(of: gpu))")
        }
        if gpus.isEmpty { lines.append("gpu         none: \(gpuProblem ?? "no reason given")") }
        if let driver { lines.append("driver      \(driver)") }
        return lines
    }

    private var libraryLines: [String] {
        var lines = [
            "libtorch    \(torchVersion), \(torchCapability ?? "capability unknown"), "
                + counted(threads, "thread")
        ]
        if let torchArchitectures { lines.append("            built for \(torchArchitectures)") }
        lines.append("kernels     \(kernels)\(multipliesBytes ? ", products of bytes" : "")")
        lines.append("FFmpeg      \(mediaProblem ?? "found")")
        return lines
    }

    private var checkLines: [String] {
        checks.map { check in
            let error = String(format: "%.1e", check.relativeError)
            return "block       \(check.device) \(check.dtype) against cpu f32: relative error "
                + "\(error), \(check.isGood ? "good" : "TOO LARGE")"
        }
    }

    private var memoryLines: [String] {
        guard let memory else { return [] }
        return (["the released model at 640x608, 5 s"] + memory.lines).enumerated().map {
            ($0 == 0 ? "memory      " : "            ") + $1
        }
    }

    private var rateLines: [String] {
        let lines = rates.map { rate in
            "rate        \(rate.device) \(rate.dtype): matmul \(operations(rate.matmul)), "
                + "attention \(operations(rate.attention)), "
                + "convolution \(operations(rate.convolution))"
        }
        return lines
            + attention.map { "attention   \($0)" }
            + copies.map { "copy        \($0.path): \(String(format: "%.1f", $0.rate / 1e9)) GB/s" }
    }

    private var predictionLines: [String] {
        predictions.flatMap { found in
            let total = found.linearOperations + found.attentionOperations
            return [
                "predicted   \(found.model): \(seconds(found.secondsPerFrame)) s a frame",
                "            = \(found.steps) steps / \(found.frames) frames x "
                    + "\(seconds(found.secondsPerStep)) s a step on \(found.basis)"
                    + " + \(seconds(found.decodingSeconds)) s of decoding",
                "            (a step: \(count(total)) operations, "
                    + "\(count(found.linearOperations)) in linear layers and "
                    + "\(count(found.attentionOperations)) in attention; a decoded frame: "
                    + "\(count(found.decodingOperations)))",
            ]
        }
    }

    private func kernels(of gpu: GPU) -> String {
        let problem = gpu.kernelProblem?.split(whereSeparator: \.isNewline).first
        let kernels = problem.map { "libtorch's kernels alone (\($0))" } ?? "kernels of our own"
        return "compute capability \(gpu.capability ?? "unknown"), \(kernels)"
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    private func size(_ bytes: Int) -> String {
        String(format: "%.1f GiB", Double(bytes) / 1_073_741_824)
    }

    private func operations(_ rate: Double) -> String {
        rate >= 1e13
            ? String(format: "%.0f TFLOP/s", rate / 1e12)
            : String(format: "%.0f GFLOP/s", rate / 1e9)
    }

    private func count(_ operations: Double) -> String {
        operations >= 1e12
            ? String(format: "%.1f T", operations / 1e12)
            : String(format: "%.1f G", operations / 1e9)
    }

    private func seconds(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : "%.3g", value)
    }

    /// A line broken at spaces so that it fits 80 columns.
    private static func wrapped(_ line: String) -> [String] {
        let indent = String(repeating: " ", count: 12)
        var lines: [String] = []
        var current = String(line.prefix(12))
        for word in line.dropFirst(12).split(separator: " ") {
            let isStart = current.count <= 12
            if !isStart, current.count + word.count + 1 > 80 {
                lines.append(current)
                current = indent + word
            } else {
                current += (isStart ? "" : " ") + word
            }
        }
        return lines + [current]
    }
}
