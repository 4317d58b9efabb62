/// What a worker is asked, one JSON object a line: `{"run": {}}`.
package enum WorkerRequest: Codable, Equatable {
    /// Load the networks of a case and its inputs.
    ///
    /// - Parameters:
    ///   - name: The case.
    ///   - model: The folder of weights; empty for none.
    ///   - inputs: The safetensors file of inputs; empty for none.
    ///   - dtype: The type to compute in: f32, bf16 or f16.
    ///   - threads: Threads of one operation; 0 for libtorch's choice.
    ///   - device: Where to compute: cpu or cuda:N.
    ///   - weights: What the weights of the transformer's blocks are rounded to; nil for nothing. Our
    ///     worker alone is told.
    case prepare(
        name: String, model: String, inputs: String, dtype: String, threads: Int, device: String,
        weights: String? = nil)
    /// Run the case once.
    case run
    /// Tell how much memory was taken at most.
    case memory
    /// Write the last run's results as a safetensors file.
    case output(file: String)
    /// End the process.
    case end
}

/// What a worker answers, one JSON object a line; each request fills the fields that it asks for.
package struct WorkerAnswer: Codable, Equatable {
    /// Seconds of the loading or of the run.
    package var seconds: Double?
    /// Tokens of one run.
    package var tokens: Int?
    /// Floating point operations of one run.
    package var operations: Double?
    /// Parameters that were loaded.
    package var parameters: Int?
    /// The most memory that the process held resident, in bytes.
    package var resident: Int?
    /// The most memory of a GPU that tensors held, in bytes.
    package var deviceAllocated: Int?
    /// Memory of a GPU in use now beyond what was in use before the worker began, in bytes.
    package var deviceUsed: Int?
    /// What the worker consists of, such as `torch 2.11.0`.
    package var versions: [String]?
    /// Why the request was not fulfilled, as a sentence.
    package var problem: String?

    /// An answer without fields.
    package init() {}
}
