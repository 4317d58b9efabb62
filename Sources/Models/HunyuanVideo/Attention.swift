import Torch

/// How many of a sequence's tokens each sample of a batch really has.
struct TokenLengths {
    /// Length of each sample.
    let lengths: [Int]
    /// Whether all samples fill the sequence.
    let isUniform: Bool
    /// `(B, 1, 1, N)`, true where a token is real; nil where all are.
    let mask: Tensor?

    /// Above this length, samples attend one by one: a mask would keep a GPU from its fastest
    /// kernels, and long sequences gain nothing from being batched.
    static let longestMasked = 4096

    /// - Parameter count: The length of the sequence, N.
    init(_ lengths: [Int], of count: Int, on device: Device) throws {
        self.lengths = lengths
        isUniform = lengths.allSatisfy { $0 == count }
        guard !isUniform, count <= Self.longestMasked else {
            mask = nil
            return
        }
        let places = try Tensor.arange(0, Double(count), device: device).unsqueeze(0)
        let ends = try Tensor(lengths.map(Float.init), [lengths.count, 1]).to(device)
        mask = try places.less(ends).unsqueeze(1).unsqueeze(1)
    }

    /// Lengths with `count` more tokens in front of each sample's.
    func prefixed(by count: Int, on device: Device) throws -> TokenLengths {
        let total = (lengths.max() ?? 0) + count
        return try TokenLengths(lengths.map { $0 + count }, of: total, on: device)
    }
}

/// Attention over the real tokens of each sample.
///
/// No buffer has the size of the sequence squared, unless a training of short sequences asks for it.
/// What comes out for tokens beyond a sample's length is arbitrary but finite.
///
/// - Parameters:
///   - q: `(B, M, H, D)`: of all tokens, or of some that are real in every sample.
///   - k, v: `(B, N, H, D)`.
/// - Returns: `(B, M, H·D)`.
func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ lengths: TokenLengths, _ execution: Execution)
    throws -> Tensor
{
    if lengths.isUniform || lengths.mask != nil {
        return try attendInPieces(q, k, v, lengths.mask, execution)
    }
    let samples = try lengths.lengths.enumerated().map { sample, length in
        let parts = try [q, k, v].map { part in
            let own = try part.narrow(0, sample, 1)
            return part.dim(1) == k.dim(1) ? try own.narrow(1, 0, length) : own
        }
        let result = try attendInPieces(parts[0], parts[1], parts[2], nil, execution)
        return try result.pad([0, 0, 0, q.dim(1) - result.dim(1)], .constant(0))
    }
    return try .cat(samples, axis: 0)
}

private func attendInPieces(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: Tensor?, _ execution: Execution
) throws -> Tensor {
    let (keys, values) = (try k.transpose(1, 2), try v.transpose(1, 2))
    if gradientsEnabled, k.dim(1) <= execution.longestScores {
        return try attendWithScores(q.transpose(1, 2), keys, values, mask)
            .transpose(1, 2).flatten(2)
    }
    return try execution.mapTokens([q]) { pieces in
        try Tensor.attention(pieces[0].transpose(1, 2), keys, values, mask: mask)
            .transpose(1, 2).flatten(2)
    }
}

/// Attention of `(B, H, N, D)` by products of whole matrices, all in the inputs' type.
private func attendWithScores(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: Tensor?) throws
    -> Tensor
{
    // Both factors get a part of the scale, so that products keep their precision in half types.
    let scale = 1 / Double(q.dim(-1)).squareRoot().squareRoot()
    var scores = try (q * scale).matmul((k * scale).transpose(-1, -2))
    if let mask { scores = try scores + (mask.to(scores.dtype) - 1) * 1e4 }
    return try scores.softmax(-1).matmul(v)
}
