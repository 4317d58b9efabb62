import Torch
import TorchNN

/// Two linear layers with an activation between them.
final class FeedForward {
    private let up, down: Linear
    private let activation: Activation

    init(_ size: Int, _ innerSize: Int, _ activation: Activation, _ weights: Weights) throws {
        up = try Linear(size, innerSize, weights["net"][0]["proj"])
        down = try Linear(innerSize, size, weights["net"][2])
        self.activation = activation
    }

    /// Maps `(B, L, C)` token by token.
    func callAsFunction(_ x: Tensor) throws -> Tensor { try down(up(x, then: activation)) }
}
