import Torch
import TorchNN

/// What a run has computed that later passes would compute again, to the same bits.
///
/// Modulations, refined text and projected image tokens depend on a step's timestep and guidance, on
/// prompt and picture and on the adapters' strengths, and on no section: they are a table with a row
/// for each step, filled when its first step runs. The tokens of the history and the rotary phases
/// depend on the section and on no step: those of one section are kept.
///
/// A run makes a memory and passes it in through ``Execution/memory``; the network holds none of it.
/// Prompts, pictures and history are told apart by the very tensors, so that the same tensors must
/// come with each pass. A memory serves one network, whose weights stay as they are; with another one
/// it begins anew. With gradients it is passed over. It is for one thread at a time.
public final class RunMemory {
    /// The bytes that are kept where nothing else is said: enough for two prompts of the released size
    /// at 50 steps in bfloat16.
    public static let defaultLimit = 512 << 20

    /// The bytes that are kept at most.
    ///
    /// Of the released size in bfloat16 a step's modulations are 2.2 MB and its text of 256 tokens
    /// 1.6 MB, so 25 steps of a prompt 95 MB, and a section's history and phases 32 MB.
    public let limit: Int
    private weak var network: Transformer?
    /// The table that was used last stands last.
    private var tables: [ConditionTable] = []
    private var section: SectionTokens?
    private var sectionCount = 0

    /// An empty memory.
    ///
    /// Where the limit is reached, tables that the present section has not used make room, the longest
    /// unused first; if that does not suffice, what does not fit is computed in each step.
    ///
    /// - Parameter limit: The bytes that are kept at most; 0 keeps nothing.
    public init(limit: Int = defaultLimit) { self.limit = limit }

    /// The bytes that are kept now.
    public var byteCount: Int {
        tables.reduce(section?.byteCount ?? 0) { $0 + $1.byteCount }
    }

    /// Forgets everything.
    public func removeAll() { (tables, section) = ([], nil) }

    /// Forgets everything of another network.
    func serve(_ network: Transformer) {
        guard self.network !== network else { return }
        removeAll()
        self.network = network
    }

    /// The history's tokens and the phases of a section, as they were kept or as `make` computes them.
    func section(_ key: SectionKey, _ make: () throws -> SectionTokens) rethrows -> SectionTokens {
        if let section, section.key == key { return section }
        section = nil
        sectionCount += 1
        let tokens = try make()
        if reserve(tokens.byteCount) { section = tokens }
        return tokens
    }

    /// The table of some conditions, as long as there is room for it.
    func table(_ key: ConditionKey) -> ConditionTable {
        let place = tables.firstIndex { $0.key == key }
        let table = place.map { tables.remove(at: $0) } ?? ConditionTable(key)
        table.lastSection = sectionCount
        tables.removeAll { $0.byteCount == 0 }
        tables.append(table)
        return table
    }

    /// Makes room, if that can be done with what the present section does not use.
    func reserve(_ bytes: Int) -> Bool {
        while byteCount + bytes > limit {
            let unused = tables.firstIndex { $0.lastSection < sectionCount && $0.byteCount > 0 }
            guard let unused else { return false }
            tables.remove(at: unused)
        }
        return true
    }
}

/// A tensor as it is now: the very same one, unchanged.
///
/// It keeps the tensor, so that no other can take its place in memory.
struct TensorIdentity: Equatable {
    private let tensor: Tensor
    private let version: Int

    init(_ tensor: Tensor) { (self.tensor, version) = (tensor, tensor.version) }

    static func == (one: TensorIdentity, other: TensorIdentity) -> Bool {
        one.tensor === other.tensor && one.version == other.version
    }
}

/// What a table of conditions depends on, beside the weights.
struct ConditionKey: Equatable {
    let guidance: [Float]?
    let text, pooled: TensorIdentity
    let image: TensorIdentity?
    let textLengths: [Int]
    let dtype: DType
    let roundsConditions: Bool
    let chunkSize: Int
    let adapters: [AdapterStrength]
}

/// What the passes of some conditions share: a row for each step, and what all steps have.
final class ConditionTable {
    /// One step of the table.
    final class Row {
        let timesteps: [Float]
        /// The embedded conditions, `(B, C)`.
        let temb: Tensor
        fileprivate let reserved: Int
        fileprivate var values: [String: Tensor] = [:]

        fileprivate init(_ timesteps: [Float], temb: Tensor, reserved: Int) {
            (self.timesteps, self.temb, self.reserved) = (timesteps, temb, reserved)
        }
    }

    let key: ConditionKey
    fileprivate(set) var lastSection = 0
    private(set) var rows: [Row] = []
    private var shared: [String: Tensor] = [:]

    fileprivate init(_ key: ConditionKey) { self.key = key }

    /// What is kept, with what the rows will be.
    var byteCount: Int {
        rows.reduce(0) { $0 + $1.reserved } + shared.values.reduce(0) { $0 + $1.byteCount }
    }

    /// The row of some timesteps, one for each sample; nil where there is no room for it.
    ///
    /// - Parameters:
    ///   - bytes: What the row will hold.
    ///   - temb: Embeds the conditions of a new row.
    func row(
        _ timesteps: [Float], bytes: Int, in memory: RunMemory, temb: () throws -> Tensor
    ) rethrows -> Row? {
        if let known = rows.first(where: { $0.timesteps == timesteps }) { return known }
        guard memory.reserve(bytes) else { return nil }
        let row = Row(timesteps, temb: try temb(), reserved: bytes)
        rows.append(row)
        return row
    }

    /// A value of a row, which is computed for all rows that lack it as soon as one is asked for: so
    /// its weights are needed once.
    func value(_ name: String, of row: Row, _ make: (Row) throws -> Tensor) rethrows -> Tensor {
        if let known = row.values[name] { return known }
        let value = try make(row)
        row.values[name] = value
        for other in rows where other.values[name] == nil {
            other.values[name] = try make(other)
        }
        return value
    }

    /// Whether every row has a value.
    func holds(_ name: String) -> Bool { rows.allSatisfy { $0.values[name] != nil } }

    /// A value that all rows share, kept if there is room.
    func shared(_ name: String, in memory: RunMemory, _ make: () throws -> Tensor) rethrows
        -> Tensor
    {
        if let known = shared[name] { return known }
        let value = try make()
        if memory.reserve(value.byteCount) { shared[name] = value }
        return value
    }
}

/// What the tokens of a section's history and its phases depend on, beside the weights.
struct SectionKey: Equatable {
    /// A group of the history.
    struct Group: Equatable {
        let kernel: PatchKernel
        let averaging: TailAveraging?
        let latents: TensorIdentity
        let indices: FrameIndices

        init(_ group: PackedGroup) {
            (kernel, averaging) = (group.kernel, group.averaging)
            (latents, indices) = (TensorIdentity(group.frames.latents), group.frames.indices)
        }
    }

    let groups: [Group]
    let indices: FrameIndices
    /// Of the section's noisy latents.
    let shape: [Int]
    let device: Device
    let dtype: DType

    init(_ input: TransformerInput, _ dtype: DType) {
        groups = input.context.groups.map(Group.init)
        (indices, shape) = (input.indices, input.latents.shape)
        (device, self.dtype) = (input.latents.device, dtype)
    }
}

/// What the passes of a section share.
struct SectionTokens {
    let key: SectionKey
    /// Tokens of each group of the history, the coarsest first.
    let history: [Tensor]
    /// Of the history's tokens, then of the section's own.
    let rotary: VideoPhases

    var byteCount: Int {
        history.reduce(rotary.phases.byteCount) { $0 + $1.byteCount }
    }
}

/// A step's row, as the layers of a pass see it.
struct RememberedStep {
    let table: ConditionTable
    let row: ConditionTable.Row
}
