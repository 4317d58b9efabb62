public import Torch
public import TorchNN

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Adam with second moments that are kept as sums over rows and columns, and updates that are cut
/// to a root mean square.
///
/// For a matrix of n × m it stores n + m numbers beside the weights. Weights may be in bfloat16:
/// everything is computed in float32, and the result is rounded at random, up or down by how near
/// either is, so that small steps are not lost.
///
/// Source: Shazeer and Stern (arXiv:1804.04235), algorithms 4 to 6; the numbers of transformers'
/// `Adafactor` for vectors and matrices. A convolution's kernel is taken as a matrix of its outputs
/// and all the rest; the reference factors it over its last two axes, which saves little.
public final class Adafactor: Optimizer {
    /// How steps are sized.
    public struct Options: Codable, Sendable, Equatable {
        /// Second moments of step t keep 1 − t^(−decayPower) of those before.
        public var decayPower = 0.8
        /// Largest root mean square of an update, before the step size.
        public var clipThreshold = 1.0
        /// Added to squared gradients.
        public var squareOffset = 1e-30
        /// Smallest root mean square of a weight for ``scalesByParameter``.
        public var smallestScale = 1e-3
        /// How much of the updates before each step keeps; nil for no such moment, which saves
        /// the memory.
        public var momentum: Double?
        /// Fraction of the step size by which matrices shrink.
        public var weightDecay = 0.0
        /// Whether the step size is relative to the root mean square of each weight.
        public var scalesByParameter = false
        /// Whether the step size follows from the step's number: 1/√t, at most 0.01; the
        /// optimizer's own is then not used.
        public var hasRelativeStep = false
        /// Whether a relative step starts at 1e-6 and rises by as much each step.
        public var warmsUp = false
        /// Whether results in 16 bits are rounded at random instead of to the nearest.
        public var roundsStochastically = true

        /// The usual values: steps as the schedule says, no momentum.
        public init() {}
    }

    /// What is trained.
    public let parameters: [Parameter]
    /// The step size.
    public var learningRate: Double
    private let options: Options
    private let decaying: (Parameter) -> Bool
    private let rates: (Parameter) -> Double
    private let moments: [Moments]
    private let count: Tensor

    /// Prepares the state.
    ///
    /// - Parameters:
    ///   - parameters: What is trained, in any floating type.
    ///   - learningRate: The step size.
    ///   - options: How steps are sized.
    ///   - decaying: Which weights shrink; unless told, vectors such as biases do not.
    ///   - rates: What the step size is multiplied by for a parameter; 1 unless told.
    /// - Throws: `TorchError` where memory does not suffice.
    public init(
        _ parameters: [Parameter], learningRate: Double, options: Options = Options(),
        decaying: @escaping (Parameter) -> Bool = { $0.value.rank > 1 },
        rates: @escaping (Parameter) -> Double = { _ in 1 }
    ) throws {
        self.parameters = parameters
        self.learningRate = learningRate
        self.options = options
        self.decaying = decaying
        self.rates = rates
        moments = try parameters.map { try Moments($0.value.detach(), options) }
        count = try Tensor.zeros([1])
    }

    /// One step; parameters without a gradient stay as they are.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func step() throws {
        try withoutGradients {
            try count.addInPlace(.ones([1]))
            let step = try count.item()
            for (index, parameter) in parameters.enumerated() {
                guard let gradient = try parameter.value.gradient() else { continue }
                try change(parameter, gradient.to(.float32), moments[index], step, index)
            }
        }
    }

    private func change(
        _ parameter: Parameter, _ gradient: Tensor, _ moments: Moments, _ step: Double,
        _ index: Int
    ) throws {
        let stored = StoredWeight(
            tensor: try parameter.value.detach(),
            roundsStochastically: options.roundsStochastically)
        let value = try stored.value()
        let rate = try stepSize(value, step) * rates(parameter)
        var update = try moments.scaled(gradient, keeping: 1 - 1 / power(step), options)
        let excess = try Self.rootMeanSquare(update) / options.clipThreshold
        try update.multiplyInPlace(rate / max(excess, 1))
        if let momentum = options.momentum, let first = moments.first {
            try first.lerpInPlace(update, 1 - momentum)
            update = first
        }
        let shrink = decaying(parameter) ? options.weightDecay * rate : 0
        let changed = try value * (1 - shrink) - update
        try stored.set(changed, step: step, index: index)
    }

    private func power(_ step: Double) -> Double { pow(step, options.decayPower) }

    private func stepSize(_ value: Tensor, _ step: Double) throws -> Double {
        var rate = learningRate
        if options.hasRelativeStep {
            rate = min(options.warmsUp ? 1e-6 * step : 1e-2, 1 / step.squareRoot())
        }
        guard options.scalesByParameter else { return rate }
        return try rate * max(options.smallestScale, Self.rootMeanSquare(value))
    }

    private static func rootMeanSquare(_ x: Tensor) throws -> Double {
        try x.norm().item() / Double(x.count).squareRoot()
    }

    /// The moments of each parameter, and the number of steps.
    ///
    /// `steps` is `(1)`, on the CPU. A parameter `name` of two axes or more has `name.rows`, `(n)`
    /// with n the length of its first axis, and `name.columns`, `(m)` with m the product of the
    /// others; any other has `name.second`, in its shape. With a momentum there is `name.first`
    /// too, in its shape. All are float32, those of a parameter on its device. They are the
    /// optimizer's own tensors, which later steps change.
    public func state() throws -> [String: Tensor] {
        var state = ["steps": count]
        for (parameter, moment) in zip(parameters, moments) {
            state["\(parameter.name).rows"] = moment.rows
            state["\(parameter.name).columns"] = moment.columns
            state["\(parameter.name).second"] = moment.second
            state["\(parameter.name).first"] = moment.first
        }
        return state
    }

    /// Continues from a stored state.
    ///
    /// - Parameter state: What ``state()`` gave, copied over the optimizer's own; further keys are
    ///   passed over.
    /// - Throws: `OptimizerError` that names a key that is missing or has another shape; nothing is
    ///   changed then.
    public func setState(_ state: [String: Tensor]) throws {
        try restore(state, into: self.state())
    }
}

/// What one parameter's steps leave behind.
private struct Moments {
    /// Means of squared gradients over each row, `(n)`, and each column, `(m)`, of a matrix.
    let rows, columns: Tensor?
    /// Means of squared gradients of a vector.
    let second: Tensor?
    /// Mean of the updates.
    let first: Tensor?

    init(_ value: Tensor, _ options: Adafactor.Options) throws {
        if value.rank > 1 {
            let size = value.dim(0)
            rows = try .zeros([size], device: value.device)
            columns = try .zeros([value.count / size], device: value.device)
            second = nil
        } else {
            (rows, columns) = (nil, nil)
            second = try value.zerosLike(dtype: .float32)
        }
        first = options.momentum == nil ? nil : try value.zerosLike(dtype: .float32)
    }

    /// Takes a gradient in and gives it over the root of the second moments.
    func scaled(_ gradient: Tensor, keeping: Double, _ options: Adafactor.Options) throws -> Tensor
    {
        if let second {
            try second.lerpInPlace(gradient.square() + options.squareOffset, 1 - keeping)
            return try gradient * second.rsqrt()
        }
        guard let rows, let columns else { return gradient }
        let matrix = try gradient.reshape(rows.count, columns.count)
        let squares = try matrix.square() + options.squareOffset
        try rows.lerpInPlace(squares.mean([1]), 1 - keeping)
        try columns.lerpInPlace(squares.mean([0]), 1 - keeping)
        let rowFactors = try (rows / rows.mean()).rsqrt().unsqueeze(1)
        return try (matrix * rowFactors * columns.rsqrt()).reshape(gradient.shape)
    }
}
