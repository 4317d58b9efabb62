import Torch

/// How one pass through the encoder or decoder runs.
struct VAEPass {
    /// What the pieces before left; nil for a pass of its own.
    var stream: VAEStream?
    /// Called before each convolution and each frame of attention; what it throws ends the pass.
    var onProgress: () throws -> Void = {}
}

/// What a causal decoder has to remember between two pieces of one video.
///
/// Decoding piece by piece with a stream costs each latent once. It isn't exactly what decoding in
/// one piece gives: group norms take their statistics from the piece at hand. On two clips of 73
/// frames and the small model's VAE, pieces of 5 latents came within 57 dB of the decoding in one
/// piece; the reference's overlapping windows came within 52 and 55 dB.
public final class VAEStream {
    /// Latents before the piece at hand that attention sees at most: some four times what the
    /// reference's windows show it, so that memory and time do not grow with the video.
    static let rememberedLatents = 20

    private var tails: [ObjectIdentifier: Tensor] = [:]
    private var memories: [ObjectIdentifier: (keys: Tensor, values: Tensor)] = [:]
    private(set) var hasStarted = false

    /// A stream in front of the first latent.
    public init() {}

    /// Puts the last frames of the piece before in front of this one, and keeps this one's.
    ///
    /// - Parameter count: How many frames the layer looks back.
    func joined(_ x: Tensor, for layer: AnyObject, count: Int) throws -> Tensor {
        let id = ObjectIdentifier(layer)
        let whole: Tensor
        if let tail = tails[id] {
            whole = try .cat([tail, x], axis: 2)
        } else {
            whole = try x.pad([0, 0, 0, 0, count, 0], .replicate)
        }
        tails[id] = try whole.narrow(2, whole.dim(2) - count, count).clone()
        return whole
    }

    /// The last frames of the piece before, as a layer takes them in; nil at the beginning.
    func tail(for layer: AnyObject) -> Tensor? { tails[ObjectIdentifier(layer)] }

    /// Keeps the last frames of this piece for the next one.
    func keep(_ tail: Tensor, for layer: AnyObject) { tails[ObjectIdentifier(layer)] = tail }

    /// Keys and values `(B, 1, L, C)` of the latents before and of this piece.
    ///
    /// - Parameter area: Positions of a latent.
    func remembered(_ keys: Tensor, _ values: Tensor, area: Int, for layer: AnyObject) throws -> (
        keys: Tensor, values: Tensor
    ) {
        let id = ObjectIdentifier(layer)
        var whole = (keys: keys, values: values)
        if let memory = memories[id] {
            whole.keys = try .cat([memory.keys, keys], axis: 2)
            whole.values = try .cat([memory.values, values], axis: 2)
        }
        let kept = min(whole.keys.dim(2), Self.rememberedLatents * area)
        func end(_ tensor: Tensor) throws -> Tensor {
            try tensor.narrow(2, tensor.dim(2) - kept, kept).clone()
        }
        memories[id] = (try end(whole.keys), try end(whole.values))
        return whole
    }

    /// Marks that a piece is done: what follows isn't the first frame.
    func advance() { hasStarted = true }
}
