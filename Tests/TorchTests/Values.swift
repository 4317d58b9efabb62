import Testing
import Torch

/// Holds a tensor's elements against literal ones.
func expectValues(
    _ tensor: Tensor, _ wanted: [Double], shape: [Int]? = nil, within bound: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let found = try tensor.array(Double.self)
    if let shape { #expect(tensor.shape == shape, sourceLocation: sourceLocation) }
    let same = zip(found, wanted).allSatisfy {
        abs($0 - $1) <= bound * max(1, abs($1)) || $0 == $1 || ($0.isNaN && $1.isNaN)
    }
    #expect(
        found.count == wanted.count && same, "found \(found), wanted \(wanted)",
        sourceLocation: sourceLocation)
}

/// A float64 tensor of values.
func values(_ values: Double..., shape: [Int]? = nil) throws -> Tensor {
    try Tensor(values, shape ?? [values.count])
}

/// The text of the error that `body` throws; empty if it throws none.
func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
}
