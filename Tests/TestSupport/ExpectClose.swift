public import Testing
public import Torch

/// Holds a tensor against the wanted one, element by element, and prints the largest difference.
///
/// Passes where every difference is at most `absolute + relative · (largest wanted magnitude)`.
public func expectClose(
    _ actual: Tensor, _ wanted: Tensor, absolute: Double = 2e-5, relative: Double = 2e-5,
    _ name: String = "", sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(actual.shape == wanted.shape, "\(name)", sourceLocation: sourceLocation)
    guard actual.shape == wanted.shape else { return }
    let (a, b) = (try actual.to(.cpu, .float64), try wanted.to(.cpu, .float64))
    let difference = try (a - b).abs().max().item()
    let magnitude = try b.abs().max().item()
    let bound = absolute + relative * magnitude
    print("    \(name): largest difference \(difference) of \(magnitude), bound \(bound)")
    #expect(
        difference <= bound, "\(name): \(difference) is above \(bound)",
        sourceLocation: sourceLocation)
}
