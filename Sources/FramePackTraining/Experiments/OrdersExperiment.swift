public import Foundation
public import FramePack
import Torch
import TorchOptim
import ToyWorld

/// Compares sampling orders, packings and discrete history on the small world.
///
/// Held-out scenes, the same in every row: three packings in vanilla, anti-drifting and inverted
/// order, each with the history as it is and discrete, and a control that sees the last latent alone.
/// What was measured of each video is kept, so that an interrupted run goes on where it was.
/// Source: arXiv 2504.12626, the ablation of its experiments, in small.
public struct OrdersExperiment: Sendable {
    /// How much is measured.
    public struct Extent: Sendable, Equatable {
        /// The lengths of the videos in seconds, and how many there are of each in a row.
        public var lengths: [Length]

        /// Videos of one length.
        public struct Length: Sendable, Equatable {
            /// Seconds of a video; they become whole sections.
            public var seconds: Double
            /// Videos in a row, 1 or more.
            public var count: Int

            /// Puts both together.
            public init(seconds: Double, count: Int) {
                (self.seconds, self.count) = (seconds, count)
            }
        }

        /// What the table rests on: a hundred videos a row of 5 and of 30 seconds.
        public static let full = Extent(lengths: [
            Length(seconds: 5, count: 100), Length(seconds: 30, count: 100),
        ])
        /// What half an hour allows; its intervals are wide.
        public static let quick = Extent(lengths: [
            Length(seconds: 5, count: 8), Length(seconds: 30, count: 1),
        ])

        /// Puts lengths together.
        public init(lengths: [Length]) { self.lengths = lengths }
    }

    /// The packings of the table, as the paper's names.
    public static let packings = [
        "td_f16k4f4k2f1k1_g9", "td_f16k4f2k2f1k1_g9", "td_f8k8f4k4f2k2f1k1_g9",
    ]
    /// The control: nothing but the last latent.
    public static let control = "td_f1k1_g9"

    /// The rows: every packing in every order, as it is and discrete, then the control.
    ///
    /// - Throws: `PackingNameError` never; the names are constants.
    public static func rows() throws -> [Packing] {
        var rows: [Packing] = []
        for order in [SamplingOrder.vanilla, .antiDrifting, .inverted] {
            for ending in ["", "+D"] {
                for name in packings {
                    rows.append(try Packing(name: name + ending).adapted(to: order))
                }
            }
        }
        return rows + [try Packing(name: control)]
    }

    /// The model whose videos are measured.
    public let model: ModelFolder
    /// How much is measured.
    public let extent: Extent
    /// Where what was measured of each video is kept.
    public let cache: URL
    /// How many videos are made at a time, each on a thread of its own.
    public let workers: Int

    /// Prepares the experiment.
    public init(_ model: ModelFolder, extent: Extent, cache: URL, workers: Int) {
        (self.model, self.extent, self.cache) = (model, extent, cache)
        self.workers = max(1, workers)
    }

    /// Measures everything, and gives one report a length.
    ///
    /// - Parameter onVideo: Called after each video, on the thread that made it, never by two threads
    ///   at a time; what it throws ends the run, and what was done stays done.
    /// - Throws: As `Evaluation`.
    public func run(onVideo: @escaping @Sendable (EvaluationProgress) throws -> Void) throws
        -> [EvaluationReport]
    {
        try extent.lengths.map { length in
            let rows = try Self.rows()
            let threads = min(workers, rows.count)
            if threads > 1 {
                try WorkerThreads(threads).run { thread, shared in
                    let own = rows.indices.filter { $0 % threads == thread }.map { rows[$0] }
                    _ = try evaluation(length, own).run { progress in
                        try shared.alone { try onVideo(progress) }
                    }
                }
            }
            return try evaluation(length, rows).run { progress in
                if threads == 1 { try onVideo(progress) }
            }
        }
    }

    private func evaluation(_ length: Extent.Length, _ rows: [Packing]) throws -> Evaluation {
        var options = EvaluationOptions()
        (options.count, options.seconds) = (length.count, length.seconds)
        (options.packings, options.hasBaselines) = (rows, false)
        options.shown = 1
        return try Evaluation(model, options: options, cache: cache)
    }
}

/// A few threads that do one piece of work together; the first error ends it.
private struct WorkerThreads {
    private let count: Int

    init(_ count: Int) { self.count = count }

    /// Runs the work on every thread and waits for all of them.
    ///
    /// - Parameter work: Gets the thread's number from 0 and what all threads share.
    func run(_ work: @escaping @Sendable (Int, Shared) throws -> Void) throws {
        let (shared, done) = (Shared(), DispatchSemaphore(value: 0))
        for number in 0..<count {
            let thread = Thread {
                do { try work(number, shared) } catch { shared.fail(error) }
                done.signal()
            }
            thread.stackSize = 16 << 20
            thread.start()
        }
        for _ in 0..<count { done.wait() }
        if let error = shared.error { throw error }
    }

    /// What threads share: their turn, and the first error, after which nobody gets one.
    final class Shared: @unchecked Sendable {
        private let lock = NSLock()
        private var first: (any Error)?

        var error: (any Error)? { lock.withLock { first } }

        func fail(_ error: any Error) { lock.withLock { first = first ?? error } }

        /// Does something while no other thread does.
        ///
        /// - Throws: The first error of any thread; what `body` throws, which then is that.
        func alone(_ body: () throws -> Void) throws {
            try lock.withLock {
                if let first { throw first }
                do { try body() } catch {
                    first = error
                    throw error
                }
            }
        }
    }
}
