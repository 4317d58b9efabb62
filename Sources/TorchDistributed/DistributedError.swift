/// What keeps processes from working together; the text names the process that tells it.
public struct DistributedError: Error, CustomStringConvertible, Sendable {
    /// The process that found it; nil where it is not one of several yet.
    public let rank: Int?
    /// What happened and what to do, without the rank.
    public let reason: String

    /// A full sentence.
    public var description: String { rank.map { "rank \($0): \(reason)" } ?? reason }

    init(rank: Int? = nil, _ reason: String) { (self.rank, self.reason) = (rank, reason) }
}
