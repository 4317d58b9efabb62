import Synchronization
package import Torch

/// What is computed from a weight once, and again when the weight has changed.
package final class DerivedWeight: Sendable {
    private struct State: @unchecked Sendable {
        let source: Tensor
        let version: Int
        let dtype: DType
        let value: Tensor?
    }

    private let state = Mutex<State?>(nil)

    package init() {}

    /// The value that `make` computes, or computed before for the same weight and type.
    package func callAsFunction(
        of weight: Parameter, as dtype: DType, _ make: () throws -> Tensor?
    ) throws -> Tensor? { try self(of: weight.value, as: dtype, make) }

    /// The value that `make` computes, or computed before for the same tensor and type.
    package func callAsFunction(
        of source: Tensor, as dtype: DType, _ make: () throws -> Tensor?
    ) throws -> Tensor? {
        let known = state.withLock { $0 }
        if let known, known.source === source, known.version == source.version,
            known.dtype == dtype
        {
            return known.value
        }
        let version = source.version
        let value = try make()
        state.withLock {
            $0 = State(source: source, version: version, dtype: dtype, value: value)
        }
        return value
    }
}
