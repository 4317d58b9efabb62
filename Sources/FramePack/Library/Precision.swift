public import Torch
public import TorchNN

/// In which number types the networks compute.
public struct Precision: Equatable, Sendable {
    /// The transformer's activations and weights.
    public var transformer: DType
    /// The text and vision encoders' activations.
    public var encoders: DType
    /// The VAE's activations when it encodes.
    public var vae: DType
    /// The VAE's activations when it decodes.
    public var decoding: DType
    /// What the transformer's weights are rounded to as they are read; nil for none.
    public var weights: QuantizationTarget?
    /// Whether timestep and guidance are rounded to bfloat16, as in the reference's bf16 runs.
    public var roundsConditions: Bool

    /// One type for everything, nothing rounded.
    public static func uniform(_ dtype: DType) -> Precision {
        Precision(
            transformer: dtype, encoders: dtype, vae: dtype, decoding: dtype,
            roundsConditions: false)
    }

    /// The types of a run.
    ///
    /// The transformer computes as asked for, else as its files are stored; half precision is
    /// replaced by single on a CPU, which is quicker there. Encoders and VAE compute in half
    /// precision on a GPU, as in the reference, unless float32 is asked for. On a CPU they do not,
    /// but for decoding in bfloat16 where the processor multiplies it and ``Kernels`` are fused: some
    /// 48 dB from float32 on the small model's videos, in less than half the time.
    ///
    /// - Parameters:
    ///   - choice: What was asked for.
    ///   - stored: The type of the transformer's files.
    ///   - parity: Whether the reference's roundings are wanted; then kernels are plain.
    ///   - kernels: The kernels that it runs with.
    public init(
        _ choice: PrecisionChoice?, stored: DType, device: Device, parity: Bool,
        kernels: Kernels = .current
    ) {
        let isCPU = device.kind == .cpu
        let asStored = stored == .float16 && isCPU ? DType.float32 : stored
        let known: Set<DType> = [.float16, .bfloat16, .float32]
        transformer = choice?.dtype ?? (known.contains(asStored) ? asStored : .bfloat16)
        let other: DType = isCPU || choice == .f32 ? .float32 : .float16
        (encoders, vae) = (other, other)
        let multipliesHalves = !parity && kernels.multiplyHalves
        decoding = isCPU && choice != .f32 && multipliesHalves ? .bfloat16 : other
        roundsConditions = parity && transformer == .bfloat16
    }

    private init(
        transformer: DType, encoders: DType, vae: DType, decoding: DType, roundsConditions: Bool
    ) {
        (self.transformer, self.encoders) = (transformer, encoders)
        (self.vae, self.decoding) = (vae, decoding)
        self.roundsConditions = roundsConditions
    }
}

extension WeightFormatChoice {
    /// What the weights are rounded to; nil where they stay as they are stored.
    package var target: QuantizationTarget? { QuantizationTarget(rawValue: rawValue) }
}

extension PrecisionChoice {
    /// The tensor type.
    public var dtype: DType {
        switch self {
        case .f32: .float32
        case .bf16: .bfloat16
        case .f16: .float16
        }
    }
}

extension ModelFolder {
    /// The types in which a request's run computes with this model.
    ///
    /// - Throws: `CheckpointError` where the transformer's files cannot be opened.
    func precision(
        _ request: GenerationRequest, on device: Device, kernels: Kernels = .current
    ) throws -> Precision {
        Precision(
            request, stored: try ModelLibrary.storedType(self), device: device, kernels: kernels)
    }
}

extension Precision {
    /// The types in which a request's run computes.
    ///
    /// - Parameter stored: The type of the transformer's files.
    package init(
        _ request: GenerationRequest, stored: DType, device: Device, kernels: Kernels = .current
    ) {
        self.init(
            request.dtype, stored: stored, device: device, parity: request.parity,
            kernels: kernels)
        weights = request.weightFormat.target
    }
}

extension ModelSize {
    /// The sizes for a run's types, device and kernels.
    package func computing(
        in precision: Precision, on device: Device, _ request: GenerationRequest, _ kernels: Kernels
    ) -> ModelSize {
        var size = computing(in: precision)
        let areFused = kernels == .fused && !request.parity && Kernels.serve(device)
        (size.decodesInPieces, size.normsAreFused) = (areFused, areFused)
        return size
    }

    /// The sizes where the networks compute in given types; the encoders' weights stay as stored.
    public func computing(in precision: Precision) -> ModelSize {
        var size = self
        size.transformerBytes = precision.transformer.size
        size.vaeBytes = precision.decoding.size
        size.roundsTransformer = precision.weights != nil
        size.transformerWeights = precision.weights.map { target in
            let (few, width) = (transformer.quantizableParameters, transformer.hiddenSize)
            let others = transformer.parameterCount - few
            return others * size.transformerBytes
                + few / (width * width) * target.byteCount(rows: width, columns: width)
        }
        return size
    }
}
