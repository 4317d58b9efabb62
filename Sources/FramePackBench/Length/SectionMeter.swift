import Foundation
import Synchronization

/// Measures this process piece by piece, and looks at its memory all the while from a thread of its
/// own.
final class SectionMeter: Sendable {
    /// What a thread and its owner share.
    private struct State {
        var resident: Int?
        var anonymous: Int?
        /// Bytes that looking at the memory has read, which are not the work's.
        var ownBytes = 0
        var hasEnded = false
    }

    /// What is compared between the beginning and the end of a piece.
    private struct Reading {
        let time = ContinuousClock.now
        let processor = SectionMeter.processorSeconds()
        let traffic = ProcessTraffic.current()
        let ownBytes: Int
        let interference = InterferenceMeter(workers: [])
    }

    private let state = Mutex(State())
    private let began: Mutex<Reading>
    /// Seconds between two looks at the memory.
    private static let interval = 0.01

    /// Begins the first piece.
    init() {
        began = Mutex(Reading(ownBytes: 0))
        let thread = Thread { [weak self] in
            while let self, !self.state.withLock(\.hasEnded) {
                self.look()
                Thread.sleep(forTimeInterval: Self.interval)
            }
        }
        thread.name = "framepack memory"
        thread.start()
    }

    /// Ends a piece and begins the next.
    ///
    /// - Parameter tokens: Tokens of one call of the network in it.
    func finishPiece(tokens: Int) -> SectionFigures {
        look()
        let peaks = state.withLock { state in
            defer { (state.resident, state.anonymous) = (nil, nil) }
            return state
        }
        let end = Reading(ownBytes: peaks.ownBytes)
        let start = began.withLock { began in
            defer { began = end }
            return began
        }
        let own = end.ownBytes - start.ownBytes
        return SectionFigures(
            tokens: tokens, seconds: (end.time - start.time) / .seconds(1),
            processorSeconds: end.processor - start.processor,
            interference: start.interference.reading()?.share,
            bytesRead: end.traffic.flatMap { end in start.traffic.map { end.read - $0.read - own }
            },
            bytesWritten: end.traffic.flatMap { end in
                start.traffic.map { end.written - $0.written }
            },
            resident: peaks.resident, anonymous: peaks.anonymous, openHandles: Self.openHandles)
    }

    /// Ends the thread.
    func end() { state.withLock { $0.hasEnded = true } }

    private func look() {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let memory = ProcessMemory(status: text)
        else { return }
        state.withLock { state in
            state.ownBytes += text.utf8.count
            state.anonymous = max(state.anonymous ?? 0, memory.anonymous)
            state.resident = memory.resident.map { max(state.resident ?? 0, $0) }
        }
    }

    private static var openHandles: Int? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        // One of them is the folder that is being listed.
        return names.map { $0.count - 1 }
    }

    /// What this process had of the processors so far.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// What a process has read and written through the system's calls, as Linux tells it.
struct ProcessTraffic: Equatable {
    let read, written: Int

    /// Reads the text of `/proc/PID/io`; nil if it lacks a figure.
    init?(io: String) {
        func count(_ key: String) -> Int? {
            io.split(separator: "\n").first { $0.hasPrefix("\(key): ") }
                .flatMap { Int($0.dropFirst(key.count + 2)) }
        }
        guard let read = count("rchar"), let written = count("wchar") else { return nil }
        (self.read, self.written) = (read, written)
    }

    /// This process's; nil where the system does not tell.
    static func current() -> ProcessTraffic? {
        (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)).flatMap(Self.init(io:))
    }
}
