/// Why a benchmark cannot be run, as one sentence that says what to do.
public struct BenchmarkError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
