public import Torch
public import TorchNN

/// Changes parameters along their gradients, with a state that can be stored.
public protocol Optimizer: AnyObject {
    /// What is trained.
    var parameters: [Parameter] { get }
    /// The step size; to be set before each step by a schedule.
    var learningRate: Double { get set }
    /// One step along the gradients that the last backward passes left; those without one stay.
    func step() throws
    /// Everything a continued run needs, by name; the shapes are those of each optimizer.
    func state() throws -> [String: Tensor]
    /// Continues from a stored state.
    ///
    /// - Parameter state: What ``state()`` gave.
    /// - Throws: `OptimizerError` that names what is missing or has another shape.
    func setState(_ state: [String: Tensor]) throws
}

extension Optimizer {
    /// Forgets all gradients.
    public func clearGradients() throws {
        for parameter in parameters { try parameter.value.setGradient(nil) }
    }

    /// Multiplies all gradients by a number.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func scaleGradients(by factor: Double) throws {
        let gradients = try parameters.compactMap { try $0.value.gradient() }
        if !gradients.isEmpty { try gradients.multiplyAllInPlace(factor) }
    }

    /// Scales all gradients down so that their common norm is at most `maximum`.
    ///
    /// - Parameter maximum: The largest 2-norm of all gradients as one vector.
    /// - Returns: The norm before; 0 without gradients.
    /// - Throws: `TorchError` where memory does not suffice.
    @discardableResult
    public func clipGradients(to maximum: Double) throws -> Double {
        let norm = try gradientNorm()
        try clipGradients(ofNorm: norm, to: maximum)
        return norm
    }

    /// The 2-norm of all gradients as one vector; 0 without gradients.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func gradientNorm() throws -> Double {
        let gradients = try parameters.compactMap { try $0.value.gradient() }
        guard !gradients.isEmpty else { return 0 }
        return try Tensor.stack(gradients.norms(), axis: 0).norm().item()
    }

    /// Scales all gradients as those of a common norm are, which may be that of several processes.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func clipGradients(ofNorm norm: Double, to maximum: Double) throws {
        if norm > maximum { try scaleGradients(by: maximum / (norm + 1e-6)) }
    }

    /// Copies stored tensors over those of a state.
    ///
    /// - Throws: `OptimizerError` that names what is missing or misshapen; nothing is changed then.
    func restore(_ stored: [String: Tensor], into state: [String: Tensor]) throws {
        for (name, target) in state.sorted(by: { $0.key < $1.key }) {
            guard let source = stored[name] else {
                throw OptimizerError("the optimizer's stored state lacks \(name)")
            }
            guard source.shape == target.shape else {
                throw OptimizerError(
                    """
                    the optimizer's stored \(name) has the shape \(source.shape); \
                    \(target.shape) is needed
                    """)
            }
            guard source.dtype == target.dtype else {
                throw OptimizerError(
                    """
                    the optimizer's stored \(name) is \(source.dtype); \(target.dtype) is needed
                    """)
            }
        }
        for (name, target) in state {
            if let source = stored[name] { try target.copy(from: source) }
        }
    }
}

/// What keeps an optimizer from continuing.
public struct OptimizerError: Error, CustomStringConvertible, Sendable {
    /// A full sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
