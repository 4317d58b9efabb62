import Foundation
import Torch

/// Watches that all processes of a group are alive, on a thread of its own.
///
/// Each process counts up a number in the store; one whose number stands still is gone. The first
/// that finds out, or that ends by itself, leaves the reason in the store, and all others end with
/// the same reason. Each watches a few that follow it, so that the store has little to do.
final class Heartbeat: @unchecked Sendable {
    private enum Key {
        static let reason = "ended/reason"
        static let reporters = "ended/count"
        static let seen = "ended/seen"
        static let left = "left"
        static let done = "done"
        static let suspicion = "suspicion"
        static func beat(_ rank: Int) -> String { "beat/\(rank)" }
    }

    private let rank, size: Int
    private let interval, patience: Double
    private let store: Store
    private let place: String
    private let isStoreServed: Bool
    private let lock = NSLock()
    // All below is guarded by `lock`.
    private var loss: String?
    private var isSuspicious = false
    private var isEnding = false
    private var hasEnded = false
    private var onLoss: (grace: Double, handler: @Sendable (String) -> Void)?
    // Of the thread alone.
    private var counts: [Int]
    private var changes: [SuspendingClock.Instant]
    /// By which silence and waiting are measured: no correction of the time of day moves it, and it
    /// stands still while the machine sleeps, during which nobody beats.
    private let clock = SuspendingClock()

    /// Begins to beat, and to watch the others, on a thread of its own.
    init(_ launch: ProcessLaunch, store: Store, interval: Double, patience: Double) throws {
        (rank, size) = (launch.rank, launch.size)
        (self.interval, self.patience) = (interval, patience)
        self.store = store
        place = launch.place
        isStoreServed = launch.isStoreServed
        counts = Array(repeating: 0, count: size)
        changes = Array(repeating: clock.now, count: size)
        try store.add(Key.beat(rank), 1)
        Thread.detachNewThread { [self] in watch() }
    }

    /// Why the group is at its end; nil as long as it works.
    var reason: String? { withLock { loss } }

    private func watch() {
        while pause() {
            do {
                try beat()
            } catch {
                end(
                    isStoreServed || rank == 0
                        ? "the processes' store at \(place) does not answer (\(error.message))"
                        : "rank 0 is gone: its store at \(place) does not answer")
            }
        }
        let grace = withLock {
            hasEnded = true
            return onLoss?.grace ?? 0
        }
        wait(until: clock.now + .seconds(grace)) { isEnding }
        let (isUnnoticed, reason, handler) = withLock { (!isEnding, loss, onLoss?.handler) }
        if isUnnoticed, let reason { handler?(reason) }
    }

    /// Sets what is to be done where the process does not notice the end within some seconds.
    func setOnLoss(after grace: Double, _ handler: @escaping @Sendable (String) -> Void) {
        withLock { onLoss = (grace, handler) }
    }

    /// Waits until the next beat is due; false at the end.
    private func pause() -> Bool {
        let start = clock.now
        let suspicious = Duration.seconds(interval / 4)
        wait(until: start + .seconds(interval)) {
            isEnding || loss != nil || isSuspicious && start.duration(to: clock.now) >= suspicious
        }
        return withLock { !isEnding && loss == nil }
    }

    /// Waits until something holds, or until a time.
    ///
    /// It sleeps a little at a time: a condition's timed wait goes by the time of day, and would hang
    /// where that is set back.
    ///
    /// - Parameter isDone: Asked under the lock.
    private func wait(until end: SuspendingClock.Instant, for isDone: () -> Bool) {
        while !withLock(isDone), clock.now < end {
            Thread.sleep(forTimeInterval: min(0.02, interval / 10))
        }
    }

    private func beat() throws(TorchError) {
        try store.add(Key.beat(rank), 1)
        if try store.contains(Key.reason) {
            end(try store.get(Key.reason))
            try store.add(Key.seen, 1)
            return
        }
        var isSuspicious = withLock { self.isSuspicious }
        if !isSuspicious { isSuspicious = try store.contains(Key.suspicion) }
        let limit = isSuspicious ? Swift.min(patience, 4 * interval) : patience
        for other in (1..<size).prefix(8).map({ (rank + $0) % size }) {
            let count = try store.add(Key.beat(other), 0)
            let now = clock.now
            if count != counts[other] { (counts[other], changes[other]) = (count, now) }
            let silence = changes[other].duration(to: now) / .seconds(1)
            guard silence > limit else { continue }
            let reason = String(format: "rank %d is gone: no sign of it for %.1f s", other, silence)
            try publish(reason)
            return end(reason)
        }
    }

    private func withLock<R>(_ body: () -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body()
    }

    private func end(_ reason: String) { withLock { loss = loss ?? reason } }

    /// Leaves a reason for the others; the first one stays.
    private func publish(_ reason: String) throws(TorchError) {
        if try store.add(Key.reporters, 1) == 1 {
            try store.set(Key.reason, String(reason.prefix(1000)))
        }
    }

    /// Looks harder for a process that is gone, after an exchange has failed.
    ///
    /// - Returns: The reason; nil if all are alive.
    func search() -> String? {
        // Those that watch the one that is gone are to look harder too.
        try? store.set(Key.suspicion, "1")
        withLock { isSuspicious = true }
        let longest = Swift.min(patience, 4 * interval) + 6 * interval
        wait(until: clock.now + .seconds(longest)) { loss != nil }
        return reason
    }

    /// Tells the others that this process ends before the work is done.
    func fail(_ reason: String) {
        withLock { isEnding = true }
        guard self.reason == nil else { return linger() }
        try? publish(reason)
        end(reason)
        linger()
    }

    /// Stays until the others have read why the group ends, if the store is this process's.
    private func linger() {
        guard rank == 0, !isStoreServed else { return }
        let end = clock.now + .seconds(4 * interval)
        while clock.now < end, (try? store.add(Key.seen, 0)) ?? size < size - 1 {
            Thread.sleep(forTimeInterval: interval / 10)
        }
    }

    /// Ends when all have done their work; the process of the store goes last.
    ///
    /// Connections stay until nobody needs them: one that closes under a call is that call's error.
    func close() {
        let end = clock.now + .seconds(4 * patience)
        _ = try? store.add(Key.left, 1)
        wait(for: Key.left, until: end)
        withLock { isEnding = true }
        wait(until: clock.now + .seconds(4 * patience)) { hasEnded }
        _ = try? store.add(Key.done, 1)
        if rank == 0, !isStoreServed { wait(for: Key.done, until: end) }
    }

    /// Waits until all processes have added 1 to a number, or there is no hope of it.
    private func wait(for key: String, until end: SuspendingClock.Instant) {
        while reason == nil, clock.now < end, (try? store.add(key, 0)) ?? size < size {
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}
