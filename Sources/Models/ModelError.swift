/// What is wrong with a network's configuration or with its input.
public struct ModelError: Error, CustomStringConvertible, Sendable {
    /// A full sentence that names the thing, what was found and what was wanted.
    public let description: String

    /// Makes an error of a sentence.
    public init(_ description: String) { self.description = description }
}
