public import Torch
public import TorchNN

/// An exponential moving average of parameters.
public final class ExponentialMovingAverage {
    /// How much of the average each update keeps, in [0, 1).
    public let decay: Double
    /// The averages by name, in the shapes and types of the parameters.
    public private(set) var averages: [String: Tensor]
    private let parameters: [Parameter]

    /// Starts at the parameters' values.
    ///
    /// - Parameters:
    ///   - parameters: What is averaged; no two have one name.
    ///   - decay: How much of the average each update keeps, in [0, 1).
    /// - Throws: `TorchError` where memory does not suffice.
    public init(_ parameters: [Parameter], decay: Double) throws {
        self.parameters = parameters
        self.decay = decay
        averages = try Dictionary(
            uniqueKeysWithValues: parameters.map { ($0.name, try $0.value.detach().clone()) })
    }

    /// Moves the averages towards the parameters.
    ///
    /// - Parameter step: The number of updates so far; early ones count more, so that the start
    ///   doesn't linger.
    public func update(step: Int) throws {
        let decay = min(decay, Double(1 + step) / Double(10 + step))
        try withoutGradients {
            let targets = parameters.compactMap { averages[$0.name] }
            try targets.lerpAllInPlace(parameters.map { try $0.value.detach() }, 1 - decay)
        }
    }

    /// Continues from stored averages.
    ///
    /// - Parameter stored: A tensor for each parameter's name, in its shape; further names are
    ///   passed over.
    /// - Throws: `OptimizerError` that names what is missing or has another shape; averages before
    ///   it may be changed by then.
    public func setAverages(_ stored: [String: Tensor]) throws {
        for (name, target) in averages {
            guard let source = stored[name], source.shape == target.shape else {
                throw OptimizerError("the stored averages lack \(name) of shape \(target.shape)")
            }
            try target.copy(from: source)
        }
    }

    /// Runs `body` with the averages in the place of the parameters.
    public func applied<R>(_ body: () throws -> R) throws -> R {
        let values = parameters.map(\.value)
        for parameter in parameters {
            parameter.value = averages[parameter.name] ?? parameter.value
        }
        defer { for (parameter, value) in zip(parameters, values) { parameter.value = value } }
        return try body()
    }
}
