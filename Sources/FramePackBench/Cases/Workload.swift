import Torch

/// How big a case's work is.
package struct Work: Codable, Equatable {
    /// Tokens of one run; nil where that says nothing.
    package var tokens: Int?
    /// Floating point operations of one run; nil where they are not counted.
    package var operations: Double?
    /// Parameters that were loaded.
    package var parameters: Int
}

/// A case's networks and inputs, ready to be run.
protocol Workload: AnyObject {
    /// How big one run is.
    var work: Work { get }

    /// Runs once and gives the results by name, computed to their end.
    func run() throws -> [String: Tensor]
}
