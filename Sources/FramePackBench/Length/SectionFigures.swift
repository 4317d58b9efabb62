/// What one section of a video took, from the beginning of its sampling to the next one's.
public struct SectionFigures: Codable, Equatable, Sendable {
    /// Tokens of one call of the network, without the prompt's.
    public var tokens: Int
    /// Seconds by the clock.
    public var seconds: Double
    /// Seconds of the processor that this process had.
    public var processorSeconds: Double
    /// The part of the processors' time that others took; nil where the system does not tell.
    public var interference: Double?
    /// Bytes that were read through the system's calls, from files, pipes and caches; pages of mapped
    /// weights are not.
    public var bytesRead: Int?
    /// Bytes that were written through the system's calls.
    public var bytesWritten: Int?
    /// The most memory that was resident, in bytes, pages of files among it.
    public var resident: Int?
    /// The most memory of no file, in bytes.
    public var anonymous: Int?
    /// Files, pipes and sockets that were open at the end.
    public var openHandles: Int?

    /// Puts the figures together.
    package init(
        tokens: Int, seconds: Double, processorSeconds: Double, interference: Double? = nil,
        bytesRead: Int? = nil, bytesWritten: Int? = nil, resident: Int? = nil,
        anonymous: Int? = nil, openHandles: Int? = nil
    ) {
        (self.tokens, self.seconds) = (tokens, seconds)
        (self.processorSeconds, self.interference) = (processorSeconds, interference)
        (self.bytesRead, self.bytesWritten) = (bytesRead, bytesWritten)
        (self.resident, self.anonymous) = (resident, anonymous)
        self.openHandles = openHandles
    }
}
