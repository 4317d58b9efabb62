import Torch
import TorchNN

/// How well each place of one picture matches those of the other.
///
/// Source: torchvision `raft.CorrBlock`.
struct Correlation {
    private let levels: [Tensor]
    /// `(1, 2r + 1, 2r + 1, 2)`, the neighbours of a place.
    private let offsets: Tensor
    private let size: (batch: Int, height: Int, width: Int)

    /// Correlates features `(B, C, h, w)` of two pictures.
    init(_ first: Tensor, _ second: Tensor, _ config: RAFTConfig) throws {
        size = (first.dim(0), first.dim(2), first.dim(3))
        let scale = 1 / Double(first.dim(1)).squareRoot()
        var volume = try first.flatten(2).transpose(1, 2).matmul(second.flatten(2)) * scale
        volume = try volume.reshape(
            size.batch * size.height * size.width, 1, size.height, size.width)
        var levels = [volume]
        for _ in 1..<config.levelCount {
            volume = try volume.averagePool2d(2)
            levels.append(volume)
        }
        self.levels = levels
        let (radius, side) = (config.radius, 2 * config.radius + 1)
        let steps = (-radius...radius).map(Float.init)
        // As published, the first number of an offset, which moves across, changes slowest.
        offsets = try Tensor(
            steps.flatMap { slow in steps.flatMap { [slow, $0] } }, [1, side, side, 2]
        ).to(first.device, first.dtype)
    }

    /// The correlation around places of the second picture.
    ///
    /// - Parameter places: For each place of the first picture, across and down, `(B, 2, h, w)`.
    /// - Returns: `(B, levels · (2r + 1)², h, w)`.
    func around(_ places: Tensor) throws -> Tensor {
        var centres = try places.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)
        var found: [Tensor] = []
        for level in levels {
            let limits = try Tensor([Float(level.dim(3) - 1), Float(level.dim(2) - 1)])
                .to(places.device, places.dtype)
            let grid = try (centres + offsets) * 2 / limits - 1
            found.append(
                try level.gridSampled(grid).reshape(size.batch, size.height, size.width, -1))
            centres = try centres / 2
        }
        return try .cat(found, axis: -1).permute(0, 3, 1, 2).contiguous()
    }
}

/// One step of the search: what is seen, what is remembered, how far to go.
///
/// Source: torchvision `raft.UpdateBlock` and its parts.
final class RAFTUpdate {
    private let correlations: [RAFTConvolution]
    private let flows: [RAFTConvolution]
    private let motion: RAFTConvolution
    private let recurrent: [RecurrentUnit]
    private let head: [Conv2d]

    init(_ config: RAFTConfig, contextSize: Int, _ weights: Weights) throws {
        let encoder = weights["motion_encoder"]
        let widths = [config.correlationSize] + config.correlationWidths
        correlations = try config.correlationWidths.indices.map { number in
            try RAFTConvolution(
                widths[number], widths[number + 1], kernel: number == 0 ? 1 : 3,
                encoder["convcorr\(number + 1)"])
        }
        flows = [
            try RAFTConvolution(2, config.flowWidths[0], kernel: 7, encoder["convflow1"]),
            try RAFTConvolution(
                config.flowWidths[0], config.flowWidths[1], kernel: 3, encoder["convflow2"]),
        ]
        motion = try RAFTConvolution(
            (widths.last ?? 0) + config.flowWidths[1], config.motionSize - 2, kernel: 3,
            encoder["conv"])
        recurrent = try config.recurrentKernels.enumerated().map { number, kernel in
            try RecurrentUnit(
                inputSize: config.motionSize + contextSize, hiddenSize: config.hiddenSize,
                kernel: kernel, weights["recurrent_block"]["convgru\(number + 1)"])
        }
        let scope = weights["flow_head"]
        head = [
            try Conv2d(
                config.hiddenSize, config.headSize, kernel: [3, 3], padding: [1, 1],
                scope["conv1"]),
            try Conv2d(config.headSize, 2, kernel: [3, 3], padding: [1, 1], scope["conv2"]),
        ]
    }

    /// What is remembered next, and how far each place's flow moves, `(B, 2, h, w)`.
    func callAsFunction(_ hidden: Tensor, context: Tensor, correlation: Tensor, flow: Tensor) throws
        -> (hidden: Tensor, step: Tensor)
    {
        let seen = try correlations.reduce(correlation) { try $1($0) }
        let moved = try flows.reduce(flow) { try $1($0) }
        let motion = try Tensor.cat([self.motion(.cat([seen, moved], axis: 1)), flow], axis: 1)
        let x = try Tensor.cat([context, motion], axis: 1)
        let hidden = try recurrent.reduce(hidden) { try $1($0, x) }
        return (hidden, try head[1](head[0](hidden).relu()))
    }
}

/// A gated recurrent unit of convolutions.
///
/// Source: torchvision `raft.ConvGRU`.
private final class RecurrentUnit {
    private let update, reset, candidate: Conv2d

    init(inputSize: Int, hiddenSize: Int, kernel: [Int], _ weights: Weights) throws {
        func gate(_ name: String) throws -> Conv2d {
            try Conv2d(
                hiddenSize + inputSize, hiddenSize, kernel: kernel, padding: kernel.map { $0 / 2 },
                weights[name])
        }
        (update, reset, candidate) = (try gate("convz"), try gate("convr"), try gate("convq"))
    }

    func callAsFunction(_ hidden: Tensor, _ x: Tensor) throws -> Tensor {
        let both = try Tensor.cat([hidden, x], axis: 1)
        let (z, r) = (try update(both).sigmoid(), try reset(both).sigmoid())
        let next = try candidate(.cat([r * hidden, x], axis: 1)).tanh()
        return try hidden.lerp(next, z)
    }
}
