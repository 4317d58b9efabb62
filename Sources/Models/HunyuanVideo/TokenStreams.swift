public import Torch

/// What all blocks of a pass share.
public struct BlockConditions {
    /// The embedded timestep, guidance and pooled text, `(B, C)`.
    public var temb: Tensor
    /// How the pass runs.
    public let execution: Execution
    let rotary: VideoPhases
    let lengths: TokenLengths
}

/// The tokens of a pass between two blocks.
public struct TokenStreams {
    /// Video tokens, `(B, L, C)`: 4x history, 2x history, 1x history, then the section itself.
    public var x: Tensor
    /// Vision tokens, then text tokens, `(B, T, C)`; the end of a short text's row is arbitrary.
    public var context: Tensor
    /// What all blocks share.
    public var conditions: BlockConditions
    /// Latent frames, height and width of the section.
    let latentSize: [Int]

    /// The tokens of the section itself, without its history, `(B, F·h·w/4, C)`.
    public func sectionTokens(patchSize: Int) throws -> Tensor {
        let count = latentSize.reduce(1, *) / (patchSize * patchSize)
        return try x.narrow(1, x.dim(1) - count, count)
    }

    /// Cosines, then sines, of each video token, `(B, L, 2·D)`.
    package func rotaryRows() throws -> Tensor { try conditions.rotary.rows() }
}
