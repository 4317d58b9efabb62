import Torch
import TorchNN

/// Repeats pixels and frames, then convolves; the video's first frame isn't repeated in time.
///
/// Source: diffusers `HunyuanVideoUpsampleCausal3D`.
final class VAEUpsampler {
    private let conv: CausalConv3d
    private let phases: RepeatedConvolution
    private let factors: [Int]

    init(_ size: Int, factors: [Int], _ weights: Weights) throws {
        self.factors = factors
        conv = try CausalConv3d(size, size, weights["conv"])
        phases = RepeatedConvolution(conv.conv, factors: factors)
    }

    /// Maps `(B, C, F, h, w)` to as many times its frames, height and width as the factors say,
    /// less the repetitions of the video's first frame.
    func callAsFunction(_ x: Tensor, _ pass: VAEPass) throws -> Tensor {
        if Kernels.areFused, RepeatedConvolution.serves(factors) { return try inPhases(x, pass) }
        if factors[0] == 1 || pass.stream?.hasStarted == true {
            return try conv(x.upsampleNearest3d(factors), pass)
        }
        let first = try x.narrow(2, 0, 1).upsampleNearest3d([1] + factors[1...])
        guard x.dim(2) > 1 else { return try conv(first, pass) }
        let others = try x.narrow(2, 1, x.dim(2) - 1).upsampleNearest3d(factors)
        return try conv(.cat([first, others], axis: 2), pass)
    }

    /// The same without the repetitions.
    private func inPhases(_ x: Tensor, _ pass: VAEPass) throws -> Tensor {
        try pass.onProgress()
        let isFirst = pass.stream?.hasStarted != true
        let growth = factors.reduce(1, *)
        if growth * x.count * x.dtype.size > VAEPieces.bytes { VAEPieces.makeRoom() }
        var framed = try x.framed(after: nil, front: pass.stream == nil ? phases.reach : 0, side: 1)
        if let stream = pass.stream {
            framed = try stream.joined(framed, for: self, count: phases.reach)
        }
        let y = try phases(framed, onProgress: pass.onProgress)
        let repeated = isFirst ? factors[0] - 1 : 0
        return try y.narrow(2, repeated, y.dim(2) - repeated)
    }
}

/// A convolution of 3×3×3 over what is repeated twofold along some axes, without the repetition.
///
/// Where neighbours are alike, two of three taps meet the same value, and their sum does the work of
/// both: each phase of the result is a convolution with two taps along each such axis. That is
/// 8/27 of the operations for three axes and 12/27 for two.
final class RepeatedConvolution {
    private let conv: Conv3d
    private let factors: [Int]
    private let weights: [DerivedWeight]

    init(_ conv: Conv3d, factors: [Int]) {
        self.conv = conv
        self.factors = factors
        weights = Self.phases(factors).map { _ in DerivedWeight() }
    }

    /// Whether each axis is repeated twofold or not at all.
    static func serves(_ factors: [Int]) -> Bool { factors.allSatisfy { $0 == 1 || $0 == 2 } }

    /// Frames before the first that the result's first frame sees.
    var reach: Int { factors[0] == 1 ? 2 : 1 }

    /// Which of the two results of an element, along each axis.
    private static func phases(_ factors: [Int]) -> [[Int]] {
        (0..<factors[0]).flatMap { f in
            (0..<factors[1]).flatMap { y in (0..<factors[2]).map { x in [f, y, x] } }
        }
    }

    /// Maps `(B, C, reach + F, h + 2, w + 2)`, edges replicated, to `(B, C', ff·F, fy·h, fx·w)`.
    func callAsFunction(_ framed: Tensor, onProgress: () throws -> Void) throws -> Tensor {
        let size = [
            framed.dim(2) - reach, framed.dim(3) - 2, framed.dim(4) - 2,
        ]
        let shape = [framed.dim(0), conv.weight.value.dim(0)] + zip(size, factors).map { $0 * $1 }
        let result = try Tensor.empty(
            shape, dtype: framed.dtype, device: framed.device, layout: .channelsLast3d)
        for (phase, weight) in zip(Self.phases(factors), weights) {
            try onProgress()
            var (input, place) = (framed, result)
            for axis in 0..<3 where factors[axis] == 2 {
                // Along time there is no element behind the last one.
                let start = axis == 0 ? 0 : phase[axis]
                input = try input.narrow(2 + axis, start, size[axis] + 1)
                place = try place.slice(2 + axis, from: phase[axis], step: 2)
            }
            try place.copy(from: convolve(input, phase, weight))
        }
        return result
    }

    private func convolve(_ input: Tensor, _ phase: [Int], _ weight: DerivedWeight) throws -> Tensor
    {
        let input = try input.contiguous(.channelsLast3d)
        let bias = try conv.bias.value(as: input.dtype)
        func made() throws -> Tensor {
            let summed = try summed(conv.weight.value, phase).to(input.dtype)
            return try input.packedConvolutionWeight(summed, stride: [1, 1, 1]) ?? summed
        }
        let taps = try weight(of: conv.weight, as: input.dtype, made) ?? made()
        return try input.fusedConvolution(taps, bias, stride: [1, 1, 1], padding: [0, 0, 0])
            ?? input.conv3d(taps, bias)
    }

    /// The weight `(out, C, 3, 3, 3)` of a phase, with two taps along repeated axes, in float32.
    private func summed(_ weight: Tensor, _ phase: [Int]) throws -> Tensor {
        var weight = try weight.to(.float32)
        for axis in 0..<3 where factors[axis] == 2 {
            let taps = try (0..<3).map { try weight.narrow(2 + axis, $0, 1) }
            // The first result of an element is beside the element before it. In time the taps
            // look back, from the result's own place.
            let joinsLast = axis == 0 ? phase[axis] == 1 : phase[axis] == 0
            weight =
                joinsLast
                ? try .cat([taps[0], taps[1] + taps[2]], axis: 2 + axis)
                : try .cat([taps[0] + taps[1], taps[2]], axis: 2 + axis)
        }
        return weight
    }
}
