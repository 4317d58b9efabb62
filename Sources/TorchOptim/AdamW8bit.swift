public import Torch
public import TorchNN

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// AdamW whose moments take 1 byte a weight each, instead of 4.
///
/// Moments are read as float32, moved by the gradient, used for the step, and stored in 8 bits
/// again: in blocks of 256 values with a scale each, 2.03 bytes a weight for both. Vectors and
/// small tensors keep moments in float32, since they are few and matter much. Weights are in
/// float32, or in bfloat16 and rounded at random as ``AdamW``'s are.
///
/// Source: Dettmers and others, 8-bit Optimizers via Block-wise Quantization (arXiv:2110.02861);
/// the numbers of bitsandbytes' `AdamW8bit`, each stored as the nearest code.
public final class AdamW8bit: Optimizer {
    /// Tensors with fewer weights keep moments in float32, as bitsandbytes' do.
    public static let smallestQuantised = 4096

    /// What is trained.
    public let parameters: [Parameter]
    /// The step size.
    public var learningRate: Double
    private let betas: (Double, Double)
    private let eps: Double
    private let weightDecay: Double
    private let roundsStochastically: Bool
    private let decaying: (Parameter) -> Bool
    private let rates: (Parameter) -> Double
    private let moments: [Moments8bit]
    private var quantisers: [Device: MomentQuantisers] = [:]

    /// Prepares the state.
    ///
    /// - Parameters:
    ///   - parameters: What is trained, in float32 or bfloat16, each contiguous.
    ///   - learningRate: The step size.
    ///   - betas: How much of the first and second moments each step keeps, in [0, 1).
    ///   - eps: Added to the root of the second moments.
    ///   - weightDecay: Fraction of the step size by which weights shrink.
    ///   - roundsStochastically: Whether results in bfloat16 are rounded at random instead of to the
    ///     nearest.
    ///   - decaying: Which weights shrink; unless told, vectors such as biases and norms do not.
    ///   - rates: What the step size is multiplied by for a parameter; 1 unless told.
    ///   - quantising: Whose moments are kept in 8 bits; unless told, matrices of at least
    ///     ``smallestQuantised`` weights.
    /// - Throws: `OptimizerError` that names a parameter of another type.
    public init(
        _ parameters: [Parameter], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0.01, roundsStochastically: Bool = true,
        decaying: @escaping (Parameter) -> Bool = { $0.value.rank > 1 },
        rates: @escaping (Parameter) -> Double = { _ in 1 },
        quantising: (Parameter) -> Bool = {
            $0.value.rank > 1 && $0.value.count >= AdamW8bit.smallestQuantised
        }
    ) throws {
        try checkTypes(parameters.map { ($0.name, $0.value.dtype) }, of: "AdamW8bit")
        self.parameters = parameters
        self.learningRate = learningRate
        self.betas = betas
        self.eps = eps
        self.weightDecay = weightDecay
        self.roundsStochastically = roundsStochastically
        self.decaying = decaying
        self.rates = rates
        moments = try parameters.map {
            try Moments8bit($0.value.detach(), isQuantised: quantising($0))
        }
        for device in Set(parameters.map(\.value.device)) {
            quantisers[device] = try MomentQuantisers(on: device)
        }
    }

    /// One step; parameters without a gradient stay as they are.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func step() throws {
        try withoutGradients {
            for (index, parameter) in parameters.enumerated() {
                guard let gradient = try parameter.value.gradient() else { continue }
                let stored = StoredWeight(
                    tensor: try parameter.value.detach(),
                    roundsStochastically: roundsStochastically)
                let value = try stored.value()
                try change(
                    value, gradient.to(.float32), moments[index],
                    learningRate: learningRate * rates(parameter),
                    decay: decaying(parameter) ? weightDecay : 0)
                if stored.tensor.dtype != .float32 {
                    try stored.set(value, step: moments[index].step.item(), index: index)
                }
            }
        }
    }

    private func change(
        _ value: Tensor, _ gradient: Tensor, _ moments: Moments8bit, learningRate: Double,
        decay: Double
    ) throws {
        switch moments.storage {
        case .exact(let first, let second):
            var group = AdamWGroup()
            group.add(value, gradient, (first, second, moments.step))
            try group.step(
                learningRate: learningRate, betas: betas, eps: eps, weightDecay: decay)
        case .quantised(let first, let second):
            guard let quantisers = quantisers[value.device] else { return }
            try moments.step.addInPlace(.ones([]))
            let step = QuantisedStep(
                learningRate: learningRate, decay: decay, betas: betas, eps: eps,
                number: try moments.step.item(), quantisers: quantisers)
            try step.take(value, gradient, first, second)
        }
    }

    /// Both moments and the step count of each parameter.
    ///
    /// For each parameter `name` there are `name.first` and `name.second`, in its shape, and
    /// `name.step`, one number without axes in float32. Moments are in float32, or in uint8 with
    /// `name.first_scales` and `name.second_scales`, `(n)` of float32 for n blocks of 256 weights.
    /// They are the optimizer's own tensors, which later steps change.
    public func state() throws -> [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (parameter, moment) in zip(parameters, moments) {
            state["\(parameter.name).step"] = moment.step
            switch moment.storage {
            case .exact(let first, let second):
                state["\(parameter.name).first"] = first
                state["\(parameter.name).second"] = second
            case .quantised(let first, let second):
                for (name, moment) in [("first", first), ("second", second)] {
                    state["\(parameter.name).\(name)"] = moment.codes
                    state["\(parameter.name).\(name)_scales"] = moment.scales
                }
            }
        }
        return state
    }

    /// Continues from a stored state.
    ///
    /// - Parameter state: What ``state()`` gave, copied over the optimizer's own; further keys are
    ///   passed over.
    /// - Throws: `OptimizerError` that names a key that is missing or has another shape or type;
    ///   nothing is changed then.
    public func setState(_ state: [String: Tensor]) throws {
        try restore(state, into: self.state())
    }
}

/// What one parameter's steps leave behind.
private struct Moments8bit {
    enum Storage {
        case exact(Tensor, Tensor)
        case quantised(QuantisedMoment, QuantisedMoment)
    }

    let storage: Storage
    /// The number of steps; that of quantised moments lies on the CPU, which asks for it.
    let step: Tensor

    init(_ value: Tensor, isQuantised: Bool) throws {
        if isQuantised {
            storage = .quantised(try QuantisedMoment(value), try QuantisedMoment(value))
            step = try .zeros([])
        } else {
            storage = .exact(
                try value.zerosLike(dtype: .float32), try value.zerosLike(dtype: .float32))
            step = try .zeros([], device: value.device)
        }
    }
}

/// A moment in 8 bits, of zeros at first.
private struct QuantisedMoment {
    /// In the parameter's shape.
    let codes: Tensor
    /// `(n)`, one for each block.
    let scales: Tensor

    init(_ value: Tensor) throws {
        codes = try value.zerosLike(dtype: .uint8)
        scales = try .zeros([BlockQuantisation.blockCount(value.count)], device: value.device)
    }
}

/// The numbers that codes of either moment stand for.
private struct MomentQuantisers {
    let first, second: BlockQuantisation

    init(on device: Device) throws {
        first = try BlockQuantisation(isSigned: true, on: device)
        second = try BlockQuantisation(isSigned: false, on: device)
    }
}

/// One step of a parameter whose moments are quantised.
private struct QuantisedStep {
    let learningRate: Double
    let decay: Double
    let betas: (Double, Double)
    let eps: Double
    /// From 1.
    let number: Double
    let quantisers: MomentQuantisers

    /// Weights that are computed at once: what a step needs beside the state is some 20 bytes for
    /// each of them, however large a tensor is.
    private static let pieceSize = 1 << 24

    /// Whole blocks as far as they go, and what is left.
    private static func pieces(_ count: Int) -> [(start: Int, rows: Int, columns: Int)] {
        let size = BlockQuantisation.blockSize
        let whole = count / size * size
        var pieces = stride(from: 0, to: whole, by: pieceSize).map { start in
            (start: start, rows: min(pieceSize, whole - start) / size, columns: size)
        }
        if whole < count { pieces.append((whole, 1, count - whole)) }
        return pieces
    }

    func take(
        _ value: Tensor, _ gradient: Tensor, _ first: QuantisedMoment, _ second: QuantisedMoment
    ) throws {
        guard value.isContiguous else {
            throw OptimizerError(
                """
                AdamW8bit changes tensors whose values lie one after another, and one of shape \
                \(value.shape) does not; make its parameter contiguous
                """)
        }
        let gradient = try gradient.contiguous()
        for piece in Self.pieces(value.count) {
            func part(_ tensor: Tensor) throws -> Tensor {
                try tensor.reshape(-1).narrow(0, piece.start, piece.rows * piece.columns)
                    .reshape(piece.rows, piece.columns)
            }
            func scales(_ moment: QuantisedMoment) throws -> Tensor {
                try moment.scales.narrow(0, piece.start / BlockQuantisation.blockSize, piece.rows)
            }
            let (value, gradient) = (try part(value), try part(gradient))
            let (codes1, scales1) = (try part(first.codes), try scales(first))
            let (codes2, scales2) = (try part(second.codes), try scales(second))
            let mean = try quantisers.first.values(codes1, scales1)
            try mean.multiplyInPlace(betas.0)
            try mean.addInPlace(gradient, scale: 1 - betas.0)
            let square = try quantisers.second.values(codes2, scales2)
            try square.multiplyInPlace(betas.1)
            try square.addProductInPlace(gradient, gradient, scale: 1 - betas.1)
            try move(value, mean, square)
            try quantisers.first.store(mean, codes: codes1, scales: scales1)
            try quantisers.second.store(square, codes: codes2, scales: scales2)
        }
    }

    private func move(_ value: Tensor, _ mean: Tensor, _ square: Tensor) throws {
        let correction = (1 - power(betas.0), 1 - power(betas.1))
        let root = try square.sqrt()
        try root.multiplyInPlace(1 / correction.1.squareRoot())
        let divisor = try root + eps
        try value.multiplyInPlace(1 - learningRate * decay)
        try value.addQuotientInPlace(mean, divisor, scale: -learningRate / correction.0)
    }

    private func power(_ base: Double) -> Double { pow(base, number) }
}
