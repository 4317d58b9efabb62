public import Torch
import TorchNN

/// What all blocks of a pass share.
public struct BlockConditions {
    /// The embedded timestep, guidance and pooled text, `(B, C)`.
    public var temb: Tensor
    /// How the pass runs.
    public let execution: Execution
    /// What becomes of the history's and the text's tokens.
    public var context = ContextUse.computed
    private(set) var rotary: VideoPhases
    let lengths: TokenLengths
    /// Video tokens in front of the section's own.
    let historyCount: Int
    /// The step in the run's memory; nil where nothing is remembered.
    let remembered: RememberedStep?

    init(
        temb: Tensor, execution: Execution, rotary: VideoPhases, lengths: TokenLengths,
        historyCount: Int = 0, remembered: RememberedStep? = nil
    ) {
        self.temb = temb
        self.execution = execution
        self.rotary = rotary
        self.lengths = lengths
        self.historyCount = historyCount
        self.remembered = remembered
    }

    /// The conditions of a pass in which the last `count` video tokens run alone.
    func alone(_ count: Int) throws -> BlockConditions {
        var result = self
        result.rotary = try rotary.suffix(count)
        return result
    }

    /// What a layer makes of the conditions, `(B, n·C)`, computed or remembered.
    func modulation(_ layer: Linear) throws -> Tensor {
        guard let remembered else { return try layer(temb.silu()) }
        return try remembered.table.value(layer.name, of: remembered.row) {
            try layer($0.temb.silu())
        }
    }

    /// Which weights of a block are read.
    ///
    /// - Parameters:
    ///   - modulations: Layers whose results depend on nothing but the conditions.
    ///   - unused: What the names of weights begin with that the pass does without anyway.
    func selection(_ modulations: [Linear], unused: [String]) -> BlockSelection {
        var left = unused
        if let table = remembered?.table, modulations.allSatisfy({ table.holds($0.name) }) {
            left += modulations.map { "\($0.name)." }
        }
        return left.isEmpty ? .all : .without(left)
    }

    /// Conditions for blocks that run by themselves, as in a check of a device or a benchmark.
    ///
    /// - Parameters:
    ///   - config: The sizes.
    ///   - temb: The embedded conditions, `(B, C)`.
    ///   - indices: The frames of the video tokens.
    ///   - grid: Patches of a frame along height and width.
    ///   - textCount: Text tokens of every sample.
    ///   - execution: How the blocks run.
    /// - Throws: `TorchError` where memory does not suffice.
    public init(
        _ config: TransformerConfig, temb: Tensor, indices: FrameIndices,
        grid: (height: Int, width: Int), textCount: Int, execution: Execution = Execution()
    ) throws {
        let rotary = try RotaryEmbedding(config)(
            indices.tensor(on: temb.device), grid: grid, box: .patch)
        let (batch, count) = (temb.dim(0), rotary.count + textCount)
        self.init(
            temb: temb, execution: execution, rotary: try rotary.repeated(batch),
            lengths: try TokenLengths(
                Array(repeating: count, count: batch), of: count, on: temb.device))
    }
}

/// The tokens of a pass between two blocks.
public struct TokenStreams {
    /// Video tokens, `(B, L, C)`: the history from the coarsest kernel to the finest, then the
    /// section itself.
    public var x: Tensor
    /// Vision tokens, then text tokens, `(B, T, C)`; the end of a short text's row is arbitrary.
    public var context: Tensor
    /// What all blocks share.
    public var conditions: BlockConditions
    /// Latent frames, height and width of the section.
    let latentSize: [Int]

    /// The tokens of the section itself, without its history, `(B, F·h·w/4, C)`.
    ///
    /// - Parameter patchSize: Height and width of a patch in latent pixels, 2 for the shape above.
    /// - Throws: `TorchError` if there are fewer tokens than the section has patches.
    public func sectionTokens(patchSize: Int) throws -> Tensor {
        let count = latentSize.reduce(1, *) / (patchSize * patchSize)
        return try x.narrow(1, x.dim(1) - count, count)
    }

    /// Cosines, then sines, of each video token, `(B, L, 2·D)` in float32.
    package func rotaryRows() throws -> Tensor { try conditions.rotary.rows() }
}
