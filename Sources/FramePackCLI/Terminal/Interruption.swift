import Dispatch
import Foundation
import FramePack

/// Turns Ctrl-C into a clean end: the run is cancelled, and its job stays.
final class Interruption {
    private let sources: [any DispatchSourceSignal]
    /// After how many seconds another Ctrl-C is meant to end the program at once; what comes sooner
    /// is the same signal, sent to the program and to its group.
    private static let secondAfter = 0.5

    /// Watches for signals as long as it lives; a second Ctrl-C ends the program at once.
    init(_ token: CancellationToken) {
        let (first, queue) = (FirstSignal(), DispatchQueue(label: "signals"))
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
            let before = signal(number, SIG_IGN)
            // Whoever started it with nohup wants it to outlive the terminal.
            if number == SIGHUP, Self.address(before) == Self.address(SIG_IGN) { return nil }
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                let now = Date()
                if number == SIGINT, let first = first.date,
                    now.timeIntervalSince(first) > Self.secondAfter
                {
                    _exit(ExitStatus.cancelled.rawValue)
                }
                first.date = first.date ?? now
                token.cancel()
            }
            source.resume()
            return source
        }
        // A reader of the events that goes away is no reason to lose the video.
        signal(SIGPIPE, SIG_IGN)
    }

    /// When the first signal came; used on one queue alone.
    private final class FirstSignal: @unchecked Sendable {
        var date: Date?
    }

    private static func address(_ handler: (@convention(c) (Int32) -> Void)?) -> Int {
        unsafeBitCast(handler, to: Int.self)
    }

    deinit { for source in sources { source.cancel() } }
}
