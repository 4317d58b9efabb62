/// A configuration or an input that a network cannot work with.
public struct ModelError: Error, CustomStringConvertible, Sendable, Equatable {
    /// What is wrong, what was found and what is wanted.
    public let description: String

    /// Makes an error of a full sentence.
    public init(_ description: String) { self.description = description }
}
