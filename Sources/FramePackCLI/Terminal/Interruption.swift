import Dispatch
import Foundation
import FramePack

/// Turns Ctrl-C into a clean end: the work is cancelled, and what it has finished stays.
///
/// One command may watch in several places; a signal reaches all of them.
final class Interruption {
    private let token: CancellationToken

    /// Watches for signals as long as it lives; a second Ctrl-C ends the program at once.
    init(_ token: CancellationToken) {
        self.token = token
        Signals.shared.add(token)
    }

    deinit { Signals.shared.remove(token) }
}

/// The signals that ask the program to end, for everybody who watches.
///
/// There is one of it: of two dispatch sources for one signal only one would get it.
private final class Signals: @unchecked Sendable {
    static let shared = Signals()

    private let queue = DispatchQueue(label: "signals")
    private var sources: [any DispatchSourceSignal] = []
    private var tokens: [CancellationToken] = []
    private var first: Date?
    /// After how many seconds another Ctrl-C is meant to end the program at once; what comes sooner
    /// is the same signal, sent to the program and to its group.
    private static let secondAfter = 0.5

    func add(_ token: CancellationToken) {
        queue.sync {
            if sources.isEmpty { watch() }
            tokens.append(token)
        }
    }

    func remove(_ token: CancellationToken) {
        queue.sync { tokens.removeAll { $0 === token } }
    }

    private func watch() {
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number in
            let before = signal(number, SIG_IGN)
            // Whoever started it with nohup wants it to outlive the terminal.
            if number == SIGHUP, Self.address(before) == Self.address(SIG_IGN) { return nil }
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [unowned self] in received(number) }
            source.resume()
            return source
        }
        // A reader of the events that goes away is no reason to lose the video.
        signal(SIGPIPE, SIG_IGN)
    }

    private func received(_ number: Int32) {
        let now = Date()
        let isSecond =
            number == SIGINT && first.map { now.timeIntervalSince($0) > Self.secondAfter } == true
        // Where nobody watches any more, nothing is left to be finished.
        if isSecond || tokens.isEmpty { _exit(ExitStatus.cancelled.rawValue) }
        first = first ?? now
        for token in tokens { token.cancel() }
    }

    private static func address(_ handler: (@convention(c) (Int32) -> Void)?) -> Int {
        unsafeBitCast(handler, to: Int.self)
    }
}
