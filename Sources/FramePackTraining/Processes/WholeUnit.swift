import Torch
import TorchDistributed
import TorchNN

/// Each parameter belongs to one process as a whole: for optimizers that keep numbers of whole
/// weights, such as sums over columns or scales of blocks.
///
/// To gather the unit is a broadcast from each owner, and gradients are added up at the owners.
final class WholeUnit: ShardUnit {
    let parameters: [Parameter]
    let parts: [Parameter?]
    private(set) var hasGradient: [Bool]
    private(set) var isGathered = false
    let heldBytes: Int
    let gatheredBytes: Int
    /// The process of each parameter.
    private let owners: [Int]
    private let group: ProcessGroup
    private let device: Device
    /// The gradients so far of the parameters that are this process's.
    private var gradients: [Int: Tensor] = [:]

    /// Gives each parameter to its owner; the others give its values up.
    ///
    /// - Parameter owners: The rank of each parameter's owner.
    init(_ parameters: [Parameter], owners: [Int], group: ProcessGroup, device: Device) throws {
        (self.parameters, self.owners) = (parameters, owners)
        (self.group, self.device) = (group, device)
        hasGradient = Array(repeating: false, count: parameters.count)
        gatheredBytes = parameters.reduce(0) { $0 + $1.value.byteCount }
        parts = try zip(parameters, owners).map { parameter, owner in
            let whole = try parameter.value.detach()
            parameter.value = try outline(of: whole)
            guard owner == group.rank else { return nil }
            // A copy: what was read from a file can't be changed in place.
            let own = try Tensor.empty(whole.shape, dtype: whole.dtype, device: device)
            try own.copy(from: whole)
            return Parameter(parameter.name, own)
        }
        heldBytes = parts.reduce(0) { $0 + ($1?.value.byteCount ?? 0) }
    }

    func gather() throws {
        guard !isGathered else { return }
        try withoutGradients {
            for (index, parameter) in parameters.enumerated() {
                let value =
                    try parts[index]?.value.detach()
                    ?? .empty(parameter.value.shape, dtype: parameter.value.dtype, device: device)
                try group.broadcast(value, from: owners[index])
                try value.setRequiresGradient(true)
                parameter.value = value
            }
        }
        isGathered = true
    }

    func drop() throws {
        guard isGathered else { return }
        for parameter in parameters { parameter.value = try outline(of: parameter.value) }
        isGathered = false
    }

    func takeGradients() throws {
        try withoutGradients {
            for (index, parameter) in parameters.enumerated() {
                let own = try parameter.value.gradient()
                if own != nil { hasGradient[index] = true }
                let sum = try (own ?? parameter.value.detach().zerosLike()).contiguous()
                try parameter.value.setGradient(nil)
                try group.reduce(sum, to: owners[index])
                guard owners[index] == group.rank else { continue }
                if let before = gradients[index] {
                    try before.addInPlace(sum)
                } else {
                    gradients[index] = sum
                }
            }
        }
    }

    func setGradients(scaledBy factor: Double, _ isUsed: [Bool]) throws {
        for (index, gradient) in gradients where isUsed[index] {
            if factor != 1 { try gradient.multiplyInPlace(factor) }
            try parts[index]?.value.setGradient(gradient)
        }
    }

    func clearGradients() {
        gradients = [:]
        hasGradient = Array(repeating: false, count: parameters.count)
    }
}
