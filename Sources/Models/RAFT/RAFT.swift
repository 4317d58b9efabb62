public import Torch
public import TorchNN

/// RAFT: optical flow by a search that is refined step by step.
///
/// Source: torchvision `torchvision.models.optical_flow.RAFT`; arXiv 2003.12039.
public final class RAFT {
    /// The sizes.
    public let config: RAFTConfig
    private let features: RAFTEncoder
    private let context: RAFTEncoder
    private let update: RAFTUpdate
    private let maskStart: RAFTConvolution?
    private let maskEnd: Conv2d?

    /// Builds the network from its weights, whose names are those of torchvision's files.
    ///
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ config: RAFTConfig, _ weights: Weights) throws {
        self.config = config
        features = try RAFTEncoder(
            config.featureWidths, norm: .instance, isBottleneck: !config.isLarge,
            weights["feature_encoder"])
        context = try RAFTEncoder(
            config.contextWidths, norm: config.contextNorm, isBottleneck: !config.isLarge,
            weights["context_encoder"])
        update = try RAFTUpdate(
            config, contextSize: config.contextWidths[4] - config.hiddenSize,
            weights["update_block"])
        let mask = weights["mask_predictor"]
        maskStart =
            config.isLarge
            ? try RAFTConvolution(config.hiddenSize, 256, kernel: 3, mask["convrelu"]) : nil
        maskEnd = config.isLarge ? try Conv2d(256, 64 * 9, kernel: [1, 1], mask["conv"]) : nil
    }

    /// Tells which names a published file may hold though the network doesn't read them: how many
    /// batches the norms have seen.
    public static func isIgnored(_ name: String) -> Bool { name.hasSuffix("num_batches_tracked") }

    /// Finds how far each pixel of the first picture has moved in the second.
    ///
    /// - Parameters:
    ///   - first, second: Pictures `(B, 3, H, W)` in [-1, 1]; H and W are multiples of 8 and at
    ///     least ``RAFTConfig/leastSide``.
    ///   - updateCount: Steps of the search.
    /// - Returns: Pixels across and down, `(B, 2, H, W)`.
    /// - Throws: `ModelError` that names the shape found and the one wanted.
    public func callAsFunction(_ first: Tensor, _ second: Tensor, updateCount: Int = 12) throws
        -> Tensor
    {
        try check(first, second)
        let both = try features(.cat([first, second], axis: 0)).chunk(2, axis: 0)
        let correlation = try Correlation(both[0], both[1], config)
        let parts = try context(first).split(
            [config.hiddenSize, config.contextWidths[4] - config.hiddenSize], axis: 1)
        var hidden = try parts[0].tanh()
        let seen = try parts[1].relu()
        let start = try places(like: both[0])
        var places = start
        for _ in 0..<updateCount {
            let (next, step) = try update(
                hidden, context: seen, correlation: correlation.around(places),
                flow: places - start)
            (hidden, places) = (next, try places + step)
        }
        return try enlarged(places - start, hidden)
    }

    private func check(_ first: Tensor, _ second: Tensor) throws {
        let sides = first.shape.suffix(2)
        guard first.rank == 4, first.shape == second.shape, first.dim(1) == 3,
            sides.allSatisfy({ $0 % 8 == 0 && $0 >= RAFTConfig.leastSide })
        else {
            throw ModelError(
                """
                the pictures have the shapes \(first.shape) and \(second.shape); wanted are two \
                of (batch, 3, height, width) with sides that are multiples of 8, \
                \(RAFTConfig.leastSide) at least
                """)
        }
    }

    /// Each place's own coordinates, across and down, `(B, 2, h, w)`.
    private func places(like features: Tensor) throws -> Tensor {
        let (height, width) = (features.dim(2), features.dim(3))
        let across = try Tensor((0..<width).map(Float.init)).expand([height, width])
        let down = try Tensor((0..<height).map(Float.init)).unsqueeze(1).expand([height, width])
        return try Tensor.stack([across, down], axis: 0).unsqueeze(0)
            .repeated([features.dim(0), 1, 1, 1]).to(features.device, features.dtype)
    }

    /// The flow at eight times the size: a mean of the nine places around with weights of their
    /// own, or between pixels where the network has no such weights.
    private func enlarged(_ flow: Tensor, _ hidden: Tensor) throws -> Tensor {
        let (batch, height, width) = (flow.dim(0), flow.dim(2), flow.dim(3))
        guard let maskStart, let maskEnd else {
            return try flow.resized([8 * height, 8 * width], .bilinear(alignsCorners: true)) * 8
        }
        let mask = try (maskEnd(maskStart(hidden)) * 0.25)
            .reshape(batch, 1, 9, 8, 8, height, width).softmax(2)
        let padded = try (flow * 8).pad([1, 1, 1, 1], .constant(0))
        let around = try (0..<9).map {
            try padded.narrow(2, $0 / 3, height).narrow(3, $0 % 3, width)
        }
        let nine = try Tensor.stack(around, axis: 2).reshape(batch, 2, 9, 1, 1, height, width)
        return try (mask * nine).sum([2]).permute(0, 1, 4, 2, 5, 3)
            .reshape(batch, 2, 8 * height, 8 * width)
    }
}
