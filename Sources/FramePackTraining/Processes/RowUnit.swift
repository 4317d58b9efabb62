import Torch
import TorchDistributed
import TorchNN

/// Each process holds some rows of each parameter: for optimizers that treat every weight by itself.
///
/// A process's rows of all parameters lie one behind the other in one tensor, padded so that every
/// process's has the same length: to gather the unit is one call, and so is to divide its gradients.
final class RowUnit: ShardUnit {
    /// A parameter of the unit.
    struct Member {
        /// The whole parameter; its value is a tensor without memory unless the unit is gathered.
        let parameter: Parameter
        /// This process's rows; nil where there are fewer rows than processes.
        let part: Parameter?
        /// The whole shape.
        let shape: [Int]
        /// Elements of a process's rows, padding included.
        let length: Int
        /// Where they begin in the process's tensor.
        let offset: Int

        var count: Int { shape.reduce(1, *) }
    }

    let members: [Member]
    let parameters: [Parameter]
    private let group: ProcessGroup
    private let dtype: DType
    /// This process's rows of all parameters.
    private let rows: Tensor
    /// Their gradients so far, of all processes and micro-batches of the step.
    private var gradients: Tensor?
    private(set) var hasGradient: [Bool]
    private(set) var isGathered = false

    var parts: [Parameter?] { members.map(\.part) }

    /// Divides parameters of one type; their whole values are given up.
    init(_ parameters: [Parameter], group: ProcessGroup, device: Device) throws {
        (self.parameters, self.group) = (parameters, group)
        dtype = parameters[0].value.dtype
        hasGradient = Array(repeating: false, count: parameters.count)
        var offset = 0
        let places = parameters.map { parameter -> (offset: Int, length: Int) in
            let shape = parameter.value.shape
            let rows = shape.first ?? 1
            let width = shape.dropFirst().reduce(1, *)
            let length = (rows + group.size - 1) / group.size * width
            defer { offset += length }
            return (offset, length)
        }
        let flat = try Tensor.zeros([offset], dtype: dtype, device: device)
        rows = flat
        members = try zip(parameters, places).map { parameter, place in
            let whole = try parameter.value.detach()
            let member = Member(
                parameter: parameter,
                part: try Self.part(of: whole, place, flat, group).map {
                    Parameter(parameter.name, $0)
                },
                shape: whole.shape, length: place.length, offset: place.offset)
            parameter.value = try outline(of: whole)
            return member
        }
    }

    /// A view of this process's rows of a parameter, filled.
    private static func part(
        of whole: Tensor, _ place: (offset: Int, length: Int), _ flat: Tensor,
        _ group: ProcessGroup
    ) throws -> Tensor? {
        guard let rows = try Self.rows(of: whole, length: place.length, group) else { return nil }
        let view = try flat.narrow(0, place.offset, rows.count).reshape(rows.shape)
        try view.copy(from: rows)
        return view
    }

    /// This process's rows of a whole tensor, `(rows, ...)`; nil if it has none.
    static func rows(of whole: Tensor, length: Int, _ group: ProcessGroup) throws -> Tensor? {
        let start = group.rank * length
        let count = min(whole.count - start, length)
        guard count > 0 else { return nil }
        let shape = [-1] + whole.shape.dropFirst()
        return try whole.contiguous().reshape(whole.count).narrow(0, start, count).reshape(shape)
    }

    var heldBytes: Int { rows.byteCount }
    var gatheredBytes: Int { rows.byteCount * group.size }

    func gather() throws {
        guard !isGathered else { return }
        try withoutGradients {
            let all = try group.allGather(rows)
            for member in members {
                let value = try all.narrow(1, member.offset, member.length).contiguous()
                    .reshape(group.size * member.length).narrow(0, 0, member.count)
                    .reshape(member.shape)
                try value.setRequiresGradient(true)
                member.parameter.value = value
            }
        }
        isGathered = true
    }

    func drop() throws {
        guard isGathered else { return }
        for member in members {
            member.parameter.value = try outline(of: member.parameter.value)
        }
        isGathered = false
    }

    func takeGradients() throws {
        try withoutGradients {
            let all = try Tensor.zeros(
                [group.size, rows.count], dtype: dtype, device: rows.device)
            for (index, member) in members.enumerated() {
                guard let gradient = try member.parameter.value.gradient() else { continue }
                hasGradient[index] = true
                try all.narrow(1, member.offset, member.length).copy(
                    from: padded(gradient, member))
                try member.parameter.value.setGradient(nil)
            }
            let sum = try group.reduceScatter(all)
            if let gradients { try gradients.addInPlace(sum) } else { gradients = sum }
        }
    }

    /// A gradient as `(processes, length)`.
    private func padded(_ gradient: Tensor, _ member: Member) throws -> Tensor {
        let flat = try gradient.reshape(member.count)
        let missing = group.size * member.length - member.count
        let whole =
            try missing == 0
            ? flat
            : .cat([flat, .zeros([missing], dtype: flat.dtype, device: flat.device)], axis: 0)
        return try whole.reshape(group.size, member.length)
    }

    func setGradients(scaledBy factor: Double, _ isUsed: [Bool]) throws {
        guard let gradients else { return }
        if factor != 1 { try gradients.multiplyInPlace(factor) }
        for (member, isUsed) in zip(members, isUsed) where isUsed {
            guard let part = member.part?.value else { continue }
            try part.setGradient(
                gradients.narrow(0, member.offset, part.count).reshape(part.shape))
        }
    }

    func clearGradients() {
        gradients = nil
        hasGradient = Array(repeating: false, count: members.count)
    }
}
