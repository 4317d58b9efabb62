public import Torch

/// Where and in which numbers a training computes.
///
/// None of it changes what is drawn: data and noise come from the CPU and are moved.
public struct TrainingExecution: Sendable {
    /// Where parameters, their moments and activations lie.
    public var device: Device
    /// The type of the activations; the weights stay in float32.
    public var dtype: DType
    /// Whether activations are computed again in the backward pass instead of being kept.
    public var checkpointsActivations: Bool

    /// On the CPU in bfloat16, everything kept, unless told otherwise.
    public init(
        device: Device = .cpu, dtype: DType = .bfloat16, checkpointsActivations: Bool = false
    ) {
        self.device = device
        self.dtype = dtype
        self.checkpointsActivations = checkpointsActivations
    }
}
