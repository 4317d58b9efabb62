import CTorch

/// One step of AdamW over lists of tensors, in place.
///
/// - Parameters:
///   - values: What is changed.
///   - gradients: Their gradients, in the same order and shapes.
///   - steps: For each value a float32 tensor without axes: the number of this step, from 1.
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
