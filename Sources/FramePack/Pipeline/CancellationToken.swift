import Foundation

/// Ends work from another thread: the work asks at every step whether it shall go on.
public final class CancellationToken: @unchecked Sendable {
    private let lock = NSLock()
    private var cancelled = false

    /// A token that lets work go on.
    public init() {}

    /// Asks the work to end.
    public func cancel() { lock.withLock { cancelled = true } }

    /// Whether the work was asked to end.
    public var isCancelled: Bool { lock.withLock { cancelled } }

    /// Throws `FramePackError.cancelled` once the work was asked to end.
    public func check() throws(FramePackError) {
        if isCancelled { throw .cancelled }
    }
}
