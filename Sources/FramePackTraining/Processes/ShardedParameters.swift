import Torch
import TorchDistributed
import TorchNN
import TorchOptim

/// Every process holds a part of the parameters, with their gradients and moments: some rows of each,
/// or some of them as a whole.
///
/// A block's weights are gathered before it runs and dropped after it; in the backward pass they are
/// gathered once more as its activations are computed again, and its gradients are divided. What no
/// block has is gathered for the length of a step. Source: ZeRO (arXiv:1910.02054), section 5, its
/// third stage; PyTorch FSDP (arXiv:2304.11277), section 3.2.1.
final class ShardedParameters: ParameterLayout, WeightResidency {
    private enum Phase { case idle, forward, backward }

    let parameters: [Parameter]
    let dividesRows: Bool
    private let store: ParameterStore
    private let group: ProcessGroup
    /// What is in no block.
    private let root: [any ShardUnit]
    private let blocks: [String: [any ShardUnit]]
    private let units: [any ShardUnit]
    /// Elements of a process's rows of each parameter, where rows are divided.
    private let lengths: [String: Int]
    private let device: Device
    private var phase = Phase.idle
    /// The blocks whose gradients are still at the whole values.
    private var open: [String] = []
    private var greatestGathered = 0

    /// Divides the parameters of a store; their whole values are given up.
    ///
    /// - Parameters:
    ///   - dividesRows: Whether each process gets some rows of each parameter, or some parameters.
    ///   - device: Where the parts lie and blocks are gathered.
    /// - Throws: `TrainingError` for a model that does not use its weights block by block.
    init(_ store: ParameterStore, group: ProcessGroup, dividesRows: Bool, device: Device) throws {
        guard !store.blocks.isEmpty else {
            throw TrainingError(
                """
                this model uses all its weights at once, so that they can't be divided among \
                processes; train it without --shard
                """)
        }
        (self.store, self.group, self.device) = (store, group, device)
        self.dividesRows = dividesRows
        var owners = Owners(count: group.size)
        var lists: [String: [Parameter]] = [:]
        for parameter in store.parameters {
            let block = store.blocks.first { parameter.name.hasPrefix($0) } ?? ""
            lists[block, default: []].append(parameter)
        }
        func units(of block: String) throws -> [any ShardUnit] {
            let list = lists[block] ?? []
            return try DType.allCases.compactMap { dtype in
                let same = list.filter { $0.value.dtype == dtype }
                guard !same.isEmpty else { return nil }
                guard !dividesRows else {
                    return try RowUnit(same, group: group, device: device)
                }
                return try WholeUnit(
                    same, owners: owners.choose(same), group: group, device: device)
            }
        }
        root = try units(of: "")
        blocks = try Dictionary(
            uniqueKeysWithValues: store.blocks.map { ($0, try units(of: $0)) })
        self.units = root + store.blocks.flatMap { [blocks] in blocks[$0] ?? [] }
        let members = self.units.compactMap { $0 as? RowUnit }.flatMap(\.members)
        lengths = Dictionary(
            uniqueKeysWithValues: members.map { ($0.parameter.name, $0.length) })
        let parts = Dictionary(
            uniqueKeysWithValues: self.units.flatMap(\.parts).compactMap { $0 }.map {
                ($0.name, $0)
            })
        parameters = store.parameters.compactMap { parts[$0.name] }
        store.residency = self
    }

    var heldBytes: HeldBytes {
        var bytes = HeldBytes()
        bytes.weights = units.reduce(0) { $0 + $1.heldBytes }
        bytes.gradients = bytes.weights
        bytes.gathered = greatestGathered
        return bytes
    }

    private func gather(_ list: [any ShardUnit]) throws {
        for unit in list { try unit.gather() }
        let gathered = units.filter(\.isGathered).reduce(0) { $0 + $1.gatheredBytes }
        greatestGathered = max(greatestGathered, gathered)
    }

    func beginStep() throws {
        try gather(root)
        phase = .forward
    }

    /// A process always gathers whole blocks: their rows are divided as one.
    func withBlock(
        _ block: String, _ selection: BlockSelection, _ body: () throws -> [Tensor]
    ) throws -> [Tensor] {
        guard let list = blocks[block] else { return try body() }
        guard gradientsEnabled else {
            let isOpen = list.allSatisfy(\.isGathered)
            try gather(list)
            let result = try body()
            if !isOpen { for unit in list { try unit.drop() } }
            return result
        }
        guard phase == .backward else {
            throw TrainingError(
                """
                weights that are divided among processes need activations that are computed again \
                in the backward pass (--checkpoint-activations, compute.checkpoint_activations)
                """)
        }
        // Blocks come back from the last to the first: those before this one are done.
        try settle(except: block)
        if !open.contains(block) { open.append(block) }
        try gather(list)
        return try body()
    }

    /// Divides the gradients of blocks that are done, and drops their weights.
    private func settle(except kept: String? = nil) throws {
        for block in open where block != kept {
            for unit in blocks[block] ?? [] {
                try unit.takeGradients()
                try unit.drop()
            }
        }
        open.removeAll { $0 != kept }
    }

    func backward(_ loss: Tensor) throws {
        phase = .backward
        try loss.backward()
        try settle()
        phase = .forward
    }

    func finishGradients(scaledBy factor: Double) throws {
        for unit in root {
            try unit.takeGradients()
            try unit.drop()
        }
        let counts = try Tensor(units.flatMap(\.hasGradient).map { Float($0 ? 1 : 0) })
        try group.allReduce(counts)
        var isUsed = try counts.array(Float.self).map { $0 > 0 }[...]
        for unit in units {
            let own = isUsed.prefix(unit.parameters.count)
            try unit.setGradients(scaledBy: factor, Array(own))
            isUsed = isUsed.dropFirst(own.count)
        }
    }

    func clipGradients(of optimizer: any Optimizer, to maximum: Double) throws -> Double {
        let own = try optimizer.gradientNorm()
        let square = try Tensor([own * own])
        try group.allReduce(square)
        let norm = try square.item().squareRoot()
        try optimizer.clipGradients(ofNorm: norm, to: maximum)
        return norm
    }

    func endStep() {
        for unit in units { unit.clearGradients() }
        phase = .idle
    }

    func whole(_ part: Tensor?, of name: String, dtype: DType) throws -> Tensor {
        guard let length = lengths[name], let shape = store[name]?.value.shape else {
            throw TrainingError("there is no \(name) to be stored")
        }
        return try withoutGradients {
            let padded = try Tensor.zeros([length], dtype: dtype, device: device)
            if let part {
                try padded.narrow(0, 0, part.count).copy(from: part.detach().reshape(part.count))
            }
            return try group.allGather(padded).reshape(group.size * length)
                .narrow(0, 0, shape.reduce(1, *)).reshape(shape)
        }
    }

    func part(of whole: Tensor, name: String) throws -> Tensor? {
        guard let length = lengths[name] else { return nil }
        return try RowUnit.rows(of: whole, length: length, group)
    }
}

/// Gives parameters to processes so that each gets as much as the others.
private struct Owners {
    private var bytes: [Int]

    init(count: Int) { bytes = Array(repeating: 0, count: count) }

    /// The owner of each parameter: the largest first, each to the process that has least so far.
    mutating func choose(_ parameters: [Parameter]) -> [Int] {
        var owners = Array(repeating: 0, count: parameters.count)
        let order = parameters.indices.sorted {
            (-parameters[$0].value.count, $0) < (-parameters[$1].value.count, $1)
        }
        for index in order {
            let least = bytes.indices.min { bytes[$0] < bytes[$1] } ?? 0
            owners[index] = least
            bytes[least] += parameters[index].value.byteCount
        }
        return owners
    }
}
