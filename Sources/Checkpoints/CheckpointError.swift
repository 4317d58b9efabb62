/// What is wrong with a file of weights or with a model folder.
public struct CheckpointError: Error, CustomStringConvertible, Sendable {
    /// A full sentence that names the file, what was found and what was wanted.
    public let description: String

    /// Makes an error of a sentence.
    public init(_ description: String) { self.description = description }
}
