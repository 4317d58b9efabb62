import CTorch
import Foundation
public import Torch

/// Processes that exchange tensors: all of them make the same calls in the same order.
///
/// CPU tensors go over Gloo, those of a GPU over NCCL. A process that dies ends the calls of all
/// others within seconds, with an error that says which one is gone. For one that lives they wait as
/// long as it takes, as for rank 0 while it writes what was trained.
public final class ProcessGroup: @unchecked Sendable {
    /// How long a group waits.
    public struct Options: Sendable {
        /// Seconds until all processes have to be there.
        public var joinTimeout = 300.0
        /// Seconds between two signs of life.
        public var beatInterval = 0.5
        /// Seconds without a sign of life after which a process is gone.
        public var patience = 8.0

        /// The usual values.
        public init() {}
    }

    /// How numbers of several processes become one.
    public enum Reduction: Sendable {
        /// Their sum.
        case sum
        /// Their sum over the number of processes.
        case mean
        /// The greatest.
        case max
    }

    /// The number of this process, in 0 ..< ``size``.
    public let rank: Int
    /// The number of processes.
    public let size: Int
    /// The number of this process on its machine.
    public let localRank: Int
    private let store: Store
    private let heartbeat: Heartbeat
    private let gloo: ct_group
    private let nccl: ct_group?

    /// Joins the processes of a launch; returns when all are there.
    ///
    /// - Parameter device: Where tensors will lie that go from process to process; CPU tensors may
    ///   in any case.
    /// - Throws: `DistributedError` if not all processes come in time, if their place is taken, or
    ///   for a GPU without NCCL.
    public init(_ launch: ProcessLaunch, device: Device = .cpu, options: Options = Options()) throws
    {
        (rank, size, localRank) = (launch.rank, launch.size, launch.localRank)
        store = try Self.meet(launch, options)
        gloo = try Self.joinGloo(launch, store, options)
        nccl = device.kind == .cuda ? try Self.joinNCCL(launch, store, device) : nil
        heartbeat = try Self.told(launch, "the store at \(launch.place) was lost") {
            // A connection of its own: calls on one wait for each other.
            let own = try Store(launch, serves: false, timeout: options.patience)
            return try Heartbeat(
                launch, store: own, interval: options.beatInterval, patience: options.patience)
        }
    }

    deinit {
        // Gloo waits for the end of its calls, which may never come after a loss.
        guard heartbeat.reason == nil else { return }
        ct_group_free(gloo)
        if let nccl { ct_group_free(nccl) }
    }

    /// Opens the store and waits there for all processes.
    private static func meet(_ launch: ProcessLaunch, _ options: Options) throws -> Store {
        let serves = launch.rank == 0 && !launch.isStoreServed
        let seconds = Int(options.joinTimeout)
        let store = try told(
            launch,
            serves
                ? "the processes can't meet at \(launch.place); choose another MASTER_PORT"
                : "there is no process of rank 0 at \(launch.place) after \(seconds) s"
        ) { try Store(launch, serves: serves, timeout: options.joinTimeout) }
        try told(launch, "the store at \(launch.place) was lost") {
            let clock = SuspendingClock()
            let end = clock.now + .seconds(options.joinTimeout)
            var count = try store.add("joined", 1)
            while count < launch.size {
                guard clock.now < end else {
                    throw DistributedError(
                        rank: launch.rank,
                        """
                        only \(count) of \(launch.size) processes came to \(launch.place) within \
                        \(seconds) s; start all of them
                        """)
                }
                Thread.sleep(forTimeInterval: 0.02)
                count = try store.add("joined", 0)
            }
        }
        return store
    }

    private static func joinGloo(
        _ launch: ProcessLaunch, _ store: Store, _ options: Options
    ) throws -> ct_group {
        let isLoopback = ["127.0.0.1", "localhost", "::1"].contains(launch.host)
        return try told(launch, "the processes can't reach each other") {
            try join {
                ct_gloo_join(
                    &$0, store.handle, store.prefix + "gloo", Int32(launch.rank),
                    Int32(launch.size), isLoopback ? "127.0.0.1" : nil,
                    Int64(options.joinTimeout * 1000))
            }
        }
    }

    private static func joinNCCL(
        _ launch: ProcessLaunch, _ store: Store, _ device: Device
    ) throws -> ct_group {
        try told(launch, "the GPUs can't work together") {
            try join {
                ct_nccl_join(
                    &$0, store.handle, store.prefix + "nccl", Int32(launch.rank),
                    Int32(launch.size), Int32(device.index))
            }
        }
    }

    /// Says what libtorch's error meant here.
    private static func told<R>(
        _ launch: ProcessLaunch, _ what: String, _ body: () throws -> R
    ) throws -> R {
        do { return try body() } catch let error as TorchError {
            throw DistributedError(rank: launch.rank, "\(what) (\(error.firstLine))")
        }
    }

    private static func join(_ body: (inout ct_group?) -> Int32) throws -> ct_group {
        var out: ct_group?
        try check(body(&out))
        guard let out else { throw TorchError(.invalid, "libtorch gave no process group") }
        return out
    }
}

extension ProcessGroup {
    /// Replaces a tensor of every process by their sum, mean or maximum.
    ///
    /// - Parameter tensor: Contiguous, of the same shape and type everywhere.
    /// - Throws: `DistributedError` if a process is gone.
    public func allReduce(_ tensor: Tensor, _ reduction: Reduction = .sum) throws {
        guard tensor.count > 0 else { return }
        let operation = reduction == .max ? CT_REDUCE_MAX : CT_REDUCE_SUM
        try exchange(tensor, "allReduce") {
            ct_group_all_reduce(&$0, $1, tensor.handle, Int32(operation))
        }
        if reduction == .mean { try tensor.multiplyInPlace(1 / Double(size)) }
    }

    /// Replaces the tensor of one process by the sum of all.
    ///
    /// - Parameters:
    ///   - tensor: Contiguous, of the same shape and type everywhere; of no use afterwards on the
    ///     other processes.
    ///   - root: The process that gets the sum.
    /// - Throws: `DistributedError` if a process is gone.
    public func reduce(_ tensor: Tensor, to root: Int) throws {
        guard tensor.count > 0 else { return }
        try exchange(tensor, "reduce") {
            ct_group_reduce(&$0, $1, tensor.handle, Int32(root))
        }
    }

    /// Replaces a tensor of every process by that of one.
    ///
    /// - Parameters:
    ///   - tensor: Contiguous, of the same shape and type everywhere.
    ///   - root: The process whose tensor it is.
    /// - Throws: `DistributedError` if a process is gone.
    public func broadcast(_ tensor: Tensor, from root: Int = 0) throws {
        guard tensor.count > 0 else { return }
        try exchange(tensor, "broadcast") {
            ct_group_broadcast(&$0, $1, tensor.handle, Int32(root))
        }
    }

    /// The text of one process, for all.
    ///
    /// - Throws: `DistributedError` if a process is gone.
    public func broadcast(_ text: String, from root: Int = 0) throws -> String {
        let bytes = Array(text.utf8)
        let count = try Tensor([Int64(bytes.count)])
        try broadcast(count, from: root)
        let values =
            try rank == root ? Tensor(bytes) : .zeros([count.intItem()], dtype: .uint8)
        try broadcast(values, from: root)
        return String(decoding: try values.array(UInt8.self), as: UTF8.self)
    }

    /// The tensors of all processes, in the order of their ranks.
    ///
    /// - Parameter part: Contiguous, of the same shape and type everywhere.
    /// - Returns: `(size, ...)`, with the part's shape.
    /// - Throws: `DistributedError` if a process is gone.
    public func allGather(_ part: Tensor) throws -> Tensor {
        let whole = try Tensor.empty(
            [size * part.count], dtype: part.dtype, device: part.device)
        if part.count > 0 {
            let flat = try part.detach().reshape(part.count)
            try exchange(flat, "allGather") {
                ct_group_all_gather(&$0, $1, whole.handle, flat.handle)
            }
        }
        return try whole.reshape([size] + part.shape)
    }

    /// This process's part of the sum of all processes' tensors.
    ///
    /// - Parameters:
    ///   - whole: `(size, ...)`, contiguous, of the same shape and type everywhere: a part for each
    ///     process.
    ///   - reduction: The sum or the mean.
    /// - Returns: The part of this process, `(...)`.
    /// - Throws: `DistributedError` if a process is gone, or for a tensor that
    ///   has not one part for each process.
    public func reduceScatter(_ whole: Tensor, _ reduction: Reduction = .sum) throws -> Tensor {
        guard whole.rank > 0, whole.dim(0) == size else {
            throw DistributedError(
                rank: rank,
                "reduceScatter needs a part for each of \(size) processes, not \(whole)")
        }
        let shape = Array(whole.shape.dropFirst())
        let part = try Tensor.empty(
            [shape.reduce(1, *)], dtype: whole.dtype, device: whole.device)
        if part.count > 0 {
            let flat = try whole.detach().reshape(size * part.count)
            try exchange(flat, "reduceScatter") {
                ct_group_reduce_scatter(&$0, $1, part.handle, flat.handle)
            }
        }
        if reduction == .mean { try part.multiplyInPlace(1 / Double(size)) }
        return try part.reshape(shape)
    }

    /// Returns when all processes have called it.
    ///
    /// - Throws: `DistributedError` if a process is gone.
    public func barrier() throws { try allReduce(.zeros([1])) }

    /// Fails if a process is known to be gone; waits for nobody.
    ///
    /// - Throws: `DistributedError` that says which.
    public func checkAlive() throws {
        if let reason = heartbeat.reason { throw lost(reason) }
    }

    /// Why the group is at its end, where a process is gone or has ended; nil as long as it works.
    public var endReason: String? { heartbeat.reason }

    /// Leaves in order, after the last call: returns when all have left.
    public func close() { heartbeat.close() }

    /// Tells the others that this process ends before the work is done.
    ///
    /// - Parameter error: Why; what the group itself threw is known to the others.
    public func fail(_ error: any Error) {
        let isOwn = error is DistributedError && heartbeat.reason != nil
        heartbeat.fail(isOwn ? "" : "rank \(rank) ended: \(error)")
        if let nccl { ct_group_abort(nccl) }
    }

    /// Sets what is to be done where a process is gone and this one does not come to notice it, as
    /// in the midst of a long computation.
    ///
    /// - Parameters:
    ///   - grace: Seconds in which this process may notice it by itself.
    ///   - handler: Called on a thread of the group's.
    public func onLoss(
        after grace: Double, _ handler: @escaping @Sendable (DistributedError) -> Void
    ) {
        let rank = rank
        heartbeat.setOnLoss(after: grace) { handler(DistributedError(rank: rank, $0)) }
    }

    private func lost(_ reason: String) -> DistributedError {
        DistributedError(rank: rank, reason)
    }

    /// Begins one exchange and waits for its end, or for the loss of a process.
    private func exchange(
        _ tensor: Tensor, _ name: String, _ begin: (inout ct_work?, ct_group) -> Int32
    ) throws {
        guard tensor.isContiguous else {
            throw DistributedError(rank: rank, "\(name) needs a contiguous tensor, not \(tensor)")
        }
        guard let group = tensor.device.kind == .cuda ? nccl : gloo else {
            throw DistributedError(
                rank: rank, "\(name) of \(tensor) needs a group that was made for a GPU")
        }
        try checkAlive()
        do {
            var work: ct_work?
            try check(begin(&work, group))
            guard let work else { throw TorchError(.invalid, "libtorch gave no work") }
            defer { ct_work_free(work) }
            try wait(for: work)
        } catch let error as TorchError {
            throw lost(
                heartbeat.search()
                    ?? "\(name) failed: \(error.firstLine)")
        }
    }

    private func wait(for work: ct_work) throws {
        var isDone = false
        while true {
            try check(ct_work_wait(work, 100, &isDone))
            if isDone { return }
            try checkAlive()
        }
    }
}

extension TorchError {
    /// The message without what libtorch adds for its own developers.
    fileprivate var firstLine: String {
        message.split(separator: "\n").first.map(String.init) ?? ""
    }
}
