import Torch
import TorchDistributed
import TorchNN
import TorchOptim

/// Every process holds all parameters; gradients are added up in buckets.
///
/// Source: PyTorch Distributed (arXiv:2006.15704), section 3.2, without the overlap.
final class ReplicatedParameters: ParameterLayout {
    let parameters: [Parameter]
    private let group: ProcessGroup?
    private let bucketSize: Int

    /// Takes the parameters of a store to a device; all processes get those of rank 0.
    ///
    /// - Parameter bucketSize: Bytes of gradients that go from process to process in one call.
    init(_ store: ParameterStore, group: ProcessGroup?, device: Device, bucketSize: Int) throws {
        self.bucketSize = bucketSize
        parameters = store.parameters
        self.group = group
        if device != .cpu { try store.move(to: device) }
        guard let group else { return }
        for parameter in parameters {
            let value = try parameter.value.detach()
            let flat = try value.contiguous()
            try group.broadcast(flat)
            if !value.isContiguous { try value.copy(from: flat) }
        }
    }

    var heldBytes: HeldBytes {
        var bytes = HeldBytes()
        bytes.weights = parameters.reduce(0) { $0 + $1.value.byteCount }
        bytes.gradients = bytes.weights
        return bytes
    }

    var dividesRows: Bool { true }
    func beginStep() {}
    func endStep() {}
    func backward(_ loss: Tensor) throws { try loss.backward() }
    func whole(_ part: Tensor?, of name: String, dtype: DType) throws -> Tensor {
        guard let part else { throw TrainingError("there is no \(name) to be stored") }
        return part
    }
    func part(of whole: Tensor, name: String) -> Tensor? { whole }

    func clipGradients(of optimizer: any Optimizer, to maximum: Double) throws -> Double {
        // All processes have the same gradients, and so the same norm.
        try optimizer.clipGradients(to: maximum)
    }

    func finishGradients(scaledBy factor: Double) throws {
        if let group { try addUp(group) }
        let gradients = try parameters.compactMap { try $0.value.gradient() }
        if factor != 1, !gradients.isEmpty { try gradients.multiplyAllInPlace(factor) }
    }

    private func addUp(_ group: ProcessGroup) throws {
        try withoutGradients {
            // What no process has a gradient of keeps none, and its moments stay as they are.
            let counts = try Tensor(
                parameters.map { try $0.value.gradient() == nil ? Float(0) : 1 })
            try group.allReduce(counts)
            let isUsed = try counts.array(Float.self).map { $0 > 0 }
            var bucket: [Parameter] = []
            for (parameter, isUsed) in zip(parameters, isUsed) where isUsed {
                if let first = bucket.first,
                    first.value.dtype != parameter.value.dtype
                        || (bucket + [parameter]).reduce(0, { $0 + $1.value.byteCount })
                            > bucketSize
                {
                    try addUp(bucket, group)
                    bucket = []
                }
                bucket.append(parameter)
            }
            try addUp(bucket, group)
        }
    }

    /// The gradients of some parameters in one call; they then lie one behind the other.
    private func addUp(_ bucket: [Parameter], _ group: ProcessGroup) throws {
        guard !bucket.isEmpty else { return }
        let flat = try Tensor.cat(
            bucket.map { parameter in
                try (parameter.value.gradient() ?? parameter.value.detach().zerosLike())
                    .reshape(parameter.value.count)
            }, axis: 0)
        try group.allReduce(flat)
        var start = 0
        for parameter in bucket {
            let count = parameter.value.count
            try parameter.value.setGradient(
                flat.narrow(0, start, count).reshape(parameter.value.shape))
            start += count
        }
    }
}
