public import Torch
public import TorchNN

/// The adapters of a file, made ready for one transformer, and what became of the file's keys.
///
/// LoRA, LoHa and LoKr are read, in the keys of musubi-tuner and kohya's scripts
/// (`lora_unet_….lora_down.weight`, `.alpha`), of diffusers, PEFT and diffusion-pipe
/// (`transformer.` or `diffusion_model.`, `.lora_A.weight`), with FramePack's names of layers or
/// HunyuanVideo's. Ranks and alphas may differ from layer to layer.
public struct AdapterFile {
    /// The adapters, attached to nothing yet, in the types that the file has.
    public let adapters: AdapterSet
    /// What became of the keys.
    public let summary: AdapterSummary

    /// Reads the adapters for a transformer; no value is computed but of fused and LoKr weights.
    ///
    /// - Parameters:
    ///   - name: What errors call the file.
    ///   - tensors: What the file holds.
    ///   - metadata: The texts beside them.
    ///   - transformer: The network; it may have shapes and no weights.
    /// - Throws: `ModelError` that names the file, and a key that has another shape than its layer
    ///   needs or lacks its counterpart; where no key matches; for DoRA, which is not supported.
    public init(
        _ name: String, tensors: [String: Tensor], metadata: [String: String] = [:],
        for transformer: Transformer
    ) throws {
        var reader = AdapterReader(name, metadata, transformer)
        try reader.read(tensors)
        adapters = AdapterSet(name, reader.adapters)
        summary = reader.summary(keys: tensors.count)
    }
}

/// Puts a file's tensors together to adapters.
private struct AdapterReader {
    typealias Parts = [AdapterKey.Part: (key: String, value: Tensor)]

    /// Outputs of a module that belong to one layer.
    struct Piece {
        let layer: String
        let rows: [Range<Int>]
    }

    private let name: String
    private let metadata: [String: String]
    private let defaults: PEFTConfig?
    private let layers: [String: Linear]
    private let order: [String]
    private let targets: AdapterTargets
    private var found: [String: any LinearAdapter] = [:]
    private var kinds: Set<String> = []
    private var ranks: Set<Int> = []
    private var unmatched: [String] = []

    init(_ name: String, _ metadata: [String: String], _ transformer: Transformer) {
        (self.name, self.metadata) = (name, metadata)
        defaults = PEFTConfig(metadata)
        order = transformer.linears.map(\.name)
        layers = Dictionary(transformer.linears.map { ($0.name, $0.layer) }) { first, _ in first }
        targets = AdapterTargets(transformer.config, layers: order)
    }

    /// The adapters in the order of the network's layers.
    var adapters: [(layer: String, adapter: any LinearAdapter)] {
        order.compactMap { name in found[name].map { (layer: name, adapter: $0) } }
    }

    func summary(keys: Int) -> AdapterSummary {
        AdapterSummary(
            kinds: kinds.sorted(), ranks: ranks.sorted(), layers: found.count,
            matchedKeys: keys - unmatched.count, keys: keys, unmatched: unmatched.sorted(),
            madeFor: metadata["modelspec.architecture"] ?? metadata["ss_base_model_version"])
    }

    mutating func read(_ tensors: [String: Tensor]) throws {
        var modules: [String: Parts] = [:]
        for (key, value) in tensors.sorted(by: { $0.key < $1.key }) {
            guard let name = AdapterKey(key) else {
                unmatched.append(key)
                continue
            }
            if let other = modules[name.module]?[name.part] {
                throw ModelError("\(self.name): \(other.key) and \(key) are the same weight twice.")
            }
            modules[name.module, default: [:]][name.part] = (key, value)
        }
        for (module, parts) in modules.sorted(by: { $0.key < $1.key }) {
            guard let target = targets[module], let pieces = pieces(target),
                parts.keys.contains(where: { $0 != .alpha })
            else {
                unmatched += parts.values.map(\.key)
                continue
            }
            try add(parts, to: pieces)
        }
        guard !found.isEmpty else { throw nothingMatched(tensors, isLoRA: !modules.isEmpty) }
    }

    private func nothingMatched(_ tensors: [String: Tensor], isLoRA: Bool) -> ModelError {
        let keys = AdapterSummary.some(tensors.keys.sorted())
        guard isLoRA else {
            return ModelError(
                "\(name) is no LoRA file: it holds \(keys.isEmpty ? "nothing" : keys).")
        }
        return ModelError(
            "\(name) fits this network nowhere: none of its \(tensors.count) keys matched (\(keys)); "
                + "take a LoRA for FramePack or HunyuanVideo.")
    }

    /// Which outputs of a module belong to which layer; nil where a layer is not in this network.
    private func pieces(_ target: AdapterTarget) -> [Piece]? {
        var start = 0
        var pieces: [Piece] = []
        for name in target.layers {
            guard let size = layers[name]?.outputSize else { return nil }
            let half = size / 2
            let rows = target.swapsHalves ? [half..<size, 0..<half] : [start..<start + size]
            pieces.append(Piece(layer: name, rows: rows))
            start += size
        }
        return pieces
    }

    private mutating func add(_ parts: Parts, to pieces: [Piece]) throws {
        if let magnitude = parts[.magnitude] {
            throw ModelError(
                "\(name) is a DoRA (\(magnitude.key)), which is not supported; LoRA, LoHa and LoKr "
                    + "are.")
        }
        let adapters: [any LinearAdapter]
        if parts[.down] != nil || parts[.up] != nil {
            adapters = try lowRank(parts, pieces)
        } else if parts[.coarse] != nil || parts[.coarseUp] != nil || parts[.fine] != nil
            || parts[.fineUp] != nil
        {
            adapters = try kronecker(parts, pieces)
        } else {
            adapters = try hadamard(parts, pieces)
        }
        for (piece, adapter) in zip(pieces, adapters) {
            guard found.updateValue(adapter, forKey: piece.layer) == nil else {
                let key = parts.filter { $0.key != .alpha }.values.map(\.key).min() ?? ""
                throw ModelError("\(name): \(key) adapts \(piece.layer) a second time.")
            }
        }
    }

    // MARK: - Kinds

    private mutating func lowRank(_ parts: Parts, _ pieces: [Piece]) throws -> [any LinearAdapter] {
        let down = try matrix(.down, parts, columns: inputSize(pieces))
        let rank = down.dim(0)
        let up = try matrix(.up, parts, rows: outputSize(pieces), columns: rank)
        let alpha = try alpha(parts, rank: rank, pieces)
        kinds.insert("LoRA")
        ranks.insert(rank)
        return try pieces.map { piece in
            LowRankAdapter(
                down: Parameter("\(piece.layer).lora_A.weight", down),
                up: Parameter("\(piece.layer).lora_B.weight", try cut(up, piece.rows)),
                alpha: alpha)
        }
    }

    private mutating func hadamard(_ parts: Parts, _ pieces: [Piece]) throws -> [any LinearAdapter]
    {
        let (rows, columns) = (outputSize(pieces), inputSize(pieces))
        let down = try [AdapterKey.Part.hadamardFirstDown, .hadamardSecondDown].map {
            try matrix($0, parts, columns: columns)
        }
        let up = try zip([AdapterKey.Part.hadamardFirstUp, .hadamardSecondUp], down).map {
            try matrix($0, parts, rows: rows, columns: $1.dim(0))
        }
        let rank = down[0].dim(0)
        let scale = try alpha(parts, rank: rank, pieces) / Double(rank)
        kinds.insert("LoHa")
        ranks.insert(rank)
        return try pieces.map { piece in
            func factors(_ index: Int) throws -> (up: Parameter, down: Parameter) {
                let name = "\(piece.layer).hada_w\(index + 1)"
                return (
                    Parameter("\(name)_a", try cut(up[index], piece.rows)),
                    Parameter("\(name)_b", down[index])
                )
            }
            return HadamardAdapter(first: try factors(0), second: try factors(1), scale: scale)
        }
    }

    private mutating func kronecker(_ parts: Parts, _ pieces: [Piece]) throws
        -> [any LinearAdapter]
    {
        let coarse = try factor(.coarse, .coarseUp, .coarseDown, parts)
        let fine = try factor(.fine, .fineUp, .fineDown, parts)
        let found = [
            coarse.value.dim(0) * fine.value.dim(0), coarse.value.dim(1) * fine.value.dim(1),
        ]
        guard found == [outputSize(pieces), inputSize(pieces)] else {
            throw ModelError(
                "\(name): \(coarse.key) \(coarse.value.shape) and \(fine.key) \(fine.value.shape) "
                    + "give \(found); \(named(pieces)) needs "
                    + "\([outputSize(pieces), inputSize(pieces)]).")
        }
        // Where both factors are whole there is no rank, and alpha means nothing.
        let rank = coarse.rank ?? fine.rank
        let scale = try rank.map { try alpha(parts, rank: $0, pieces) / Double($0) } ?? 1
        kinds.insert("LoKr")
        if let rank { ranks.insert(rank) }
        return pieces.map { piece in
            KroneckerAdapter(
                coarse: Parameter("\(piece.layer).lokr_w1", coarse.value),
                fine: Parameter("\(piece.layer).lokr_w2", fine.value), scale: scale,
                rows: piece.rows)
        }
    }

    /// One factor of a LoKr, whole or as a product.
    private func factor(
        _ whole: AdapterKey.Part, _ up: AdapterKey.Part, _ down: AdapterKey.Part, _ parts: Parts
    ) throws -> (key: String, value: Tensor, rank: Int?) {
        if let part = parts[whole] { return (part.key, try matrix(whole, parts), nil) }
        let down = try matrix(down, parts)
        let first = try matrix(up, parts, columns: down.dim(0))
        let product = try first.to(.float32).matmul(down.to(.float32))
        return (parts[up]?.key ?? "", product, down.dim(0))
    }

    // MARK: - Tensors

    private func inputSize(_ pieces: [Piece]) -> Int {
        pieces.first.flatMap { layers[$0.layer]?.inputSize } ?? 0
    }

    private func outputSize(_ pieces: [Piece]) -> Int {
        pieces.reduce(0) { $0 + (layers[$1.layer]?.outputSize ?? 0) }
    }

    private func named(_ pieces: [Piece]) -> String {
        pieces.map(\.layer).joined(separator: ", ")
    }

    /// A part as a matrix of the shape that its layer needs; nil leaves a length open.
    private func matrix(
        _ part: AdapterKey.Part, _ parts: Parts, rows: Int? = nil, columns: Int? = nil
    ) throws -> Tensor {
        guard let (key, value) = parts[part] else {
            let others = parts.values.map(\.key).sorted()
            throw ModelError(
                "\(name): there is \(AdapterSummary.some(others)), but the matrix that belongs to it "
                    + "(\(part.rawValue)) is missing.")
        }
        // Layers that were convolutions of one pixel elsewhere have further axes of length 1.
        let shape = value.shape
        let isMatrix = shape.count >= 2 && shape.dropFirst(2).allSatisfy { $0 == 1 }
        guard isMatrix, shape[0] > 0, rows ?? shape[0] == shape[0], columns ?? shape[1] == shape[1]
        else {
            let wanted = [rows, columns].map { $0.map(String.init) ?? "any" }
            throw ModelError(
                "\(name): \(key) has the shape \(shape); [\(wanted.joined(separator: ", "))] is "
                    + "needed.")
        }
        guard value.dtype.isFloatingPoint else {
            throw ModelError(
                "\(name): \(key) is of type \(value.dtype); a floating type is needed.")
        }
        return try value.reshape(shape[0], shape[1])
    }

    /// The rows that belong to a layer.
    private func cut(_ matrix: Tensor, _ rows: [Range<Int>]) throws -> Tensor {
        if rows == [0..<matrix.dim(0)] { return matrix }
        let parts = try rows.map { try matrix.narrow(0, $0.lowerBound, $0.count) }
        return try parts.count == 1 ? parts[0] : .cat(parts, axis: 0)
    }

    private func alpha(_ parts: Parts, rank: Int, _ pieces: [Piece]) throws -> Double {
        guard let (key, value) = parts[.alpha] else {
            return defaults?.alpha(of: pieces.first?.layer ?? "", rank: rank) ?? Double(rank)
        }
        guard value.count == 1, value.device.kind != .meta else {
            throw ModelError("\(name): \(key) has the shape \(value.shape); one number is needed.")
        }
        let alpha = try value.item()
        guard alpha.isFinite else {
            throw ModelError("\(name): \(key) is \(alpha); a number is needed.")
        }
        // kohya's scripts take 0 for the rank.
        return alpha == 0 ? Double(rank) : alpha
    }
}
