import CTorch

extension Tensor {
    /// Whether gradients are kept for this tensor.
    public var requiresGradient: Bool { ct_tensor_requires_grad(handle) }

    /// Asks for gradients of this tensor, or for none; only leaves and floats can have them.
    ///
    /// - Throws: `TorchError` for another tensor.
    public func setRequiresGradient(_ on: Bool) throws(TorchError) {
        try check(ct_tensor_set_requires_grad(handle, on))
    }

    /// The gradient that backward passes have added up, in this tensor's shape; nil if there was
    /// none.
    public func gradient() throws(TorchError) -> Tensor? {
        var out: ct_tensor?
        try check(ct_tensor_gradient(&out, handle))
        return out.map(Tensor.init(owning:))
    }

    /// Replaces the gradient; nil clears it.
    ///
    /// - Parameter gradient: In this tensor's shape and type.
    public func setGradient(_ gradient: Tensor?) throws(TorchError) {
        try check(ct_tensor_set_gradient(handle, gradient?.handle))
    }

    /// Adds the gradients of this tensor to all leaves that it was made from.
    ///
    /// - Parameter gradient: The gradient of this tensor, in its shape; 1 if nil, for a tensor of
    ///   one element.
    /// - Throws: `TorchError` if nothing that it was made from asks for gradients, if its graph was
    ///   used up by an earlier pass, or where memory does not suffice (`.outOfMemory`).
    public func backward(_ gradient: Tensor? = nil) throws(TorchError) {
        try check(ct_backward(handle, gradient?.handle))
    }

    /// The same memory, cut off from the graph, in this tensor's shape.
    public func detach() throws(TorchError) -> Tensor { try .make { ct_detach(&$0, handle) } }
}

/// Gradients of the sum of `outputs` with respect to `inputs`; nil where one isn't reached.
///
/// - Parameters:
///   - outputs: Tensors of one element each.
///   - inputs: Tensors that ask for gradients.
///   - retainGraph: Whether the graph can be used again.
///   - createGraph: Whether the gradients have a graph of their own.
/// - Returns: One for each input, in its shape.
/// - Throws: `TorchError` if an output has no graph, or where memory does not suffice
///   (`.outOfMemory`).
///
/// Source: `torch.autograd.grad`.
public func gradients(
    of outputs: [Tensor], withRespectTo inputs: [Tensor], retainGraph: Bool = false,
    createGraph: Bool = false
) throws(TorchError) -> [Tensor?] {
    var out = ct_tensors(items: nil, count: 0)
    try outputs.withHandles { (outputHandles, outputCount) throws(TorchError) in
        try inputs.withHandles { (inputHandles, inputCount) throws(TorchError) in
            try check(
                ct_grad(
                    &out, outputHandles, outputCount, inputHandles, inputCount, retainGraph,
                    createGraph))
        }
    }
    return Tensor.take(out)
}

/// Runs `body` without recording operations; this thread records again after it.
public func withoutGradients<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try withGradients(enabled: false, body)
}

/// Runs `body` with recording switched on or off for this thread.
public func withGradients<R, E: Error>(enabled: Bool, _ body: () throws(E) -> R) throws(E) -> R {
    let before = ct_grad_enabled()
    ct_set_grad_enabled(enabled)
    defer { ct_set_grad_enabled(before) }
    return try body()
}

/// Whether this thread records operations for a backward pass.
public var gradientsEnabled: Bool { ct_grad_enabled() }

/// A body that runs now, and again in the backward pass.
private final class CheckpointBody {
    let run: ([Tensor]) throws -> [Tensor]
    var failure: (any Error)?

    init(_ run: @escaping ([Tensor]) throws -> [Tensor]) { self.run = run }
}

/// Runs `body` without keeping its activations: they are computed again in the backward pass.
///
/// Costs a second forward pass of `body` and saves the memory of all that happens inside. At least
/// one input must ask for gradients, or none flow to the parameters that `body` uses.
/// - Parameters:
///   - inputs: What `body` gets; tensors of any shape.
///   - body: Must give the same for the same inputs.
/// - Returns: What `body` gives.
/// - Throws: What `body` throws in the forward pass. What it throws in the backward pass ends that
///   pass with a `TorchError` of its text, `.outOfMemory` where it was that.
///
/// Source: `torch.utils.checkpoint`.
public func checkpoint(_ inputs: [Tensor], _ body: @escaping ([Tensor]) throws -> [Tensor]) throws
    -> [Tensor]
{
    guard gradientsEnabled else { return try body(inputs) }
    let holder = CheckpointBody(body)
    var out = ct_tensors(items: nil, count: 0)
    // The body runs without gradients now and with them again later: by the same kernels.
    let status = try Kernels.$current.withValue(.plain) {
        try inputs.withHandles { (handles, count) throws(TorchError) in
            ct_checkpoint(
                &out, handles, count, runCheckpoint, Unmanaged.passRetained(holder).toOpaque()
            ) { if let context = $0 { Unmanaged<CheckpointBody>.fromOpaque(context).release() } }
        }
    }
    if let failure = holder.failure { throw failure }
    try check(status)
    return Tensor.take(out).compactMap { $0 }
}

private func runCheckpoint(
    context: UnsafeMutableRawPointer?, inputs: UnsafePointer<ct_tensor?>?, count: Int64,
    outputs: UnsafeMutablePointer<ct_tensors>?
) -> Int32 {
    guard let context, let inputs, let outputs else { return Int32(CT_ERROR) }
    let holder = Unmanaged<CheckpointBody>.fromOpaque(context).takeUnretainedValue()
    do {
        let arguments = try (0..<Int(count)).map { index in
            guard let handle = inputs[index] else {
                throw TorchError(.invalid, "an input of a checkpoint is missing")
            }
            return try Tensor(owning: secondHandle(to: handle))
        }
        let results = try holder.run(arguments).map { try $0.secondHandle() }
        outputs.pointee = ct_tensors_new(Int64(results.count))
        for (index, handle) in results.enumerated() { outputs.pointee.items[index] = handle }
        return Int32(CT_OK)
    } catch {
        holder.failure = error
        // In the backward pass this is all that reaches the caller.
        ct_set_last_error("\(error)")
        let isMemory = (error as? TorchError)?.code == .outOfMemory
        return Int32(isMemory ? CT_OUT_OF_MEMORY : CT_CALLBACK)
    }
}
