public import Torch

/// How a forward pass runs: types, memory, and a way to end it.
///
/// It belongs to one call; the model keeps nothing of it.
public struct Execution {
    /// The type of the activations; weights of another type are converted as they are used.
    public var dtype: DType
    /// Whether timestep and guidance are rounded to bfloat16 first, as the released models were
    /// run: a guidance of 10000 becomes 9984.
    public var roundsConditions: Bool
    /// How many tokens attention queries and feed-forward take at a time when no gradients are
    /// recorded; it bounds memory and the time between two calls of `onProgress`.
    public var chunkSize: Int
    /// Whether blocks are computed again in the backward pass instead of keeping activations.
    public var checkpointsBlocks: Bool
    /// Up to how many tokens attention with gradients keeps its scores as a matrix for each head.
    ///
    /// Short sequences train faster so on a CPU; 0 never does.
    public var longestScores: Int
    /// What the run has computed already; nil computes everything anew.
    public var memory: RunMemory?
    /// The timesteps, 1000 · sigma, of all steps of the section as far as they are known.
    ///
    /// What depends on them goes into ``memory`` for all steps while its weights are at hand.
    public var timesteps: [Float]
    /// Called between blocks and between chunks; what it throws ends the pass.
    public var onProgress: (() throws -> Void)?

    /// Chooses how to run; the defaults are exact.
    public init(
        dtype: DType = .float32, roundsConditions: Bool = false, chunkSize: Int = 2048,
        checkpointsBlocks: Bool = false, longestScores: Int = 0, memory: RunMemory? = nil,
        timesteps: [Float] = [], onProgress: (() throws -> Void)? = nil
    ) {
        self.dtype = dtype
        self.roundsConditions = roundsConditions
        self.chunkSize = chunkSize
        self.checkpointsBlocks = checkpointsBlocks
        self.longestScores = longestScores
        self.memory = memory
        self.timesteps = timesteps
        self.onProgress = onProgress
    }

    /// Maps tokens piece by piece, along axis 1 of each of `inputs`.
    ///
    /// With gradients, or where one piece holds all, `body` sees the whole.
    func mapTokens(_ inputs: [Tensor], _ body: ([Tensor]) throws -> Tensor) throws -> Tensor {
        let count = inputs[0].dim(1)
        guard count > chunkSize, chunkSize > 0, !gradientsEnabled else {
            try onProgress?()
            return try body(inputs)
        }
        let pieces = (count + chunkSize - 1) / chunkSize
        let length = (count + pieces - 1) / pieces
        var result: Tensor?
        for start in stride(from: 0, to: count, by: length) {
            try onProgress?()
            let size = min(length, count - start)
            let part = try body(inputs.map { try $0.narrow(1, start, size) })
            let whole =
                try result
                ?? .empty(
                    [part.dim(0), count] + part.shape.dropFirst(2), dtype: part.dtype,
                    device: part.device)
            try whole.narrow(1, start, size).copy(from: part)
            result = whole
        }
        return try result ?? body(inputs)
    }
}
