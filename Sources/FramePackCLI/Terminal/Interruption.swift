import Dispatch
import Foundation
import FramePack

/// Turns Ctrl-C into a clean end: the run is cancelled, and its job stays.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    /// Watches for signals as long as it lives; a second one ends the program at once.
    init(_ token: CancellationToken) {
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
            let before = signal(number, SIG_IGN)
            // Whoever started it with nohup wants it to outlive the terminal.
            if number == SIGHUP, Self.address(before) == Self.address(SIG_IGN) { return nil }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if token.isCancelled { _exit(ExitStatus.cancelled.rawValue) }
                token.cancel()
            }
            source.resume()
            return source
        }
        // A reader of the events that goes away is no reason to lose the video.
        signal(SIGPIPE, SIG_IGN)
    }

    private static func address(_ handler: (@convention(c) (Int32) -> Void)?) -> Int {
        unsafeBitCast(handler, to: Int.self)
    }

    deinit { for source in sources { source.cancel() } }
}
