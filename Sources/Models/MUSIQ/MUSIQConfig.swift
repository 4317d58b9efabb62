/// The sizes of a MUSIQ network.
///
/// Source: pyiqa `MUSIQ`; arXiv 2108.05997.
public struct MUSIQConfig: Sendable, Equatable {
    /// The side of a patch, in pixels; a multiple of 4.
    public var patchSize = 32
    /// The width of the hidden state, C.
    public var hiddenSize = 384
    /// The width inside the MLP.
    public var intermediateSize = 1152
    /// The number of layers.
    public var layerCount = 14
    /// The number of heads, H; it divides `hiddenSize`.
    public var headCount = 6
    /// The side of the grid of positions.
    public var gridSize = 10
    /// The longer sides, in pixels, at which a picture is looked at beside its own size.
    public var longerSides = [224, 384]
    /// Classes of the head: 1 for a mean opinion score, 10 for the distribution of AVA's.
    public var classCount = 1

    /// The sizes of the published networks.
    public init() {}

    /// Reads the sizes off a file's weights, of which only the heads' number cannot be told.
    ///
    /// - Parameter shape: The shape of the tensor of a name; nil where there is none.
    /// - Returns: Nil where the file is not MUSIQ's.
    public init?(shape: (String) -> [Int]?) {
        let encoder = "transformer_encoder"
        guard shape("conv_root.weight") != nil, let class_ = shape("\(encoder).cls"),
            let head = shape("head.weight") ?? shape("head.0.weight"),
            let inner = shape("\(encoder).transformer.encoderblock_0.mlp.fc1.weight"),
            let grid = shape("\(encoder).posembed_input.position_emb"), class_.count == 3,
            head.count == 2, inner.count == 2, grid.count == 3
        else { return nil }
        (hiddenSize, intermediateSize, classCount) = (class_[2], inner[0], head[0])
        gridSize = Int(Double(grid[1]).squareRoot().rounded())
        layerCount =
            (0..<4096).first {
                shape("\(encoder).transformer.encoderblock_\($0).mlp.fc1.weight") == nil
            } ?? 0
    }

    /// What makes the sizes impossible, as a sentence; nil if nothing does.
    package var problem: String? {
        let sizes = [
            ("hidden_size", hiddenSize), ("mlp_dim", intermediateSize), ("num_heads", headCount),
            ("spatial_pos_grid_size", gridSize), ("num_class", classCount),
        ]
        if let problem = sizeProblem(sizes, layers: layerCount) { return problem }
        guard patchSize > 0, patchSize % 4 == 0 else {
            return "patch_size is \(patchSize); it must be a multiple of 4"
        }
        guard longerSides.count == 2, longerSides.allSatisfy({ $0 >= 1 }) else {
            return "longer_side_lengths must be two sides, each 1 pixel at least"
        }
        return hiddenSize % headCount == 0
            ? nil : "hidden_size \(hiddenSize) is not a multiple of num_heads \(headCount)"
    }
}
