import CTorch
import Synchronization

extension AttentionChoices {
    private static let shared = Mutex(AttentionChoices())

    /// What this process has measured so far.
    public static var current: AttentionChoices { shared.withLock { $0 } }

    /// The way for some tensors, measured with these very tensors at the first of a class.
    fileprivate static func way(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double?
    ) throws(TorchError) -> AttentionWay? {
        guard let kind = AttentionClass(q, k) else { return nil }
        if let known = current.measurement(of: kind) { return known.way }
        let found = try Measurement(of: kind) { way throws(TorchError) in
            try Tensor.attentionTime(q, k, v, scale: scale, by: way)
        }
        shared.withLock { $0.add(found) }
        return found.way
    }
}

extension Tensor {
    /// Attention of queries `(B, H, L, D)` over keys and values `(B, H, S, D)` on a GPU, in the way that
    /// is quicker there.
    ///
    /// - Returns: nil where nothing is to be chosen: libtorch then goes its usual way.
    static func chosenAttention(_ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double?)
        throws(TorchError) -> Tensor?
    {
        guard Kernels.areFused, q.device.kind == .cuda,
            let way = try AttentionChoices.way(q, k, v, scale: scale)
        else { return nil }
        return try attention(q, k, v, scale: scale, asking: way).result
    }

    /// Attention by libtorch, which asks first whether one way can be taken.
    ///
    /// - Returns: The result, and the number of the way that was taken.
    package static func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double?, asking way: AttentionWay
    ) throws(TorchError) -> (result: Tensor, taken: Int32) {
        var taken: Int32 = -1
        let scale = scale.map { [$0] }
        let result = try make {
            ct_attention_by(q.handle, k.handle, v.handle, scale, way.rawValue, &taken, &$0)
        }
        return (result, taken)
    }

    /// The numbers of libtorch's ways to attend, in the order in which it asks.
    package static var attentionOrder: [Int] {
        var order = [Int64](repeating: 0, count: 5)
        ct_attention_order(&order)
        return order.map(Int.init)
    }

    /// Seconds of one attention after a warm-up, the best of three; nil where the way is not possible.
    fileprivate static func attentionTime(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double?, by way: AttentionWay
    ) throws(TorchError) -> Double? {
        var best = Double.infinity
        for run in 0...3 {
            try Accelerator.synchronize(q.device)
            let began = ContinuousClock.now
            do throws(TorchError) {
                guard try attention(q, k, v, scale: scale, asking: way).taken == way.rawValue else {
                    return nil
                }
            } catch {
                // cuDNN finds out late that it has no plan for some sizes.
                guard error.code != .outOfMemory, way == .cuDNN else { throw error }
                return nil
            }
            try Accelerator.synchronize(q.device)
            if run > 0 { best = Swift.min(best, (ContinuousClock.now - began) / .seconds(1)) }
        }
        return best
    }
}
