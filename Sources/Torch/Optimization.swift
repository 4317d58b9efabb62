import CTorch

/// One step of AdamW over lists of tensors, in place.
///
/// All lists have one length, and a value's partners have its shape, type and device unless told.
/// - Parameters:
///   - values: What is changed.
///   - gradients: Their gradients, in the same order and shapes.
///   - firstMoments: Their running means of gradients, which are changed too.
///   - secondMoments: Their running means of squared gradients, which are changed too.
///   - steps: For each value a float32 tensor without axes: the number of this step, from 1.
///   - learningRate: The step size.
///   - betas: How much of the first and second moments the step keeps, in [0, 1).
///   - eps: Added to the root of the second moments.
///   - weightDecay: Fraction of the step size by which values shrink.
/// - Throws: `TorchError` for lists or tensors that do not fit each other.
///
/// Source: `torch.optim.AdamW` with `fused`.
public func fusedAdamW(
    _ values: [Tensor], gradients: [Tensor], firstMoments: [Tensor], secondMoments: [Tensor],
    steps: [Tensor], learningRate: Double, betas: (Double, Double), eps: Double,
    weightDecay: Double
) throws(TorchError) {
    try values.withHandles { (v, n) throws(TorchError) in
        try gradients.withHandles { (g, gn) throws(TorchError) in
            try firstMoments.withHandles { (a, an) throws(TorchError) in
                try secondMoments.withHandles { (b, bn) throws(TorchError) in
                    try steps.withHandles { (s, sn) throws(TorchError) in
                        try check(
                            ct__fused_adamw_(
                                v, n, g, gn, a, an, b, bn, nil, 0, s, sn, learningRate, betas.0,
                                betas.1, weightDecay, eps, false, false, nil, nil))
                    }
                }
            }
        }
    }
}
