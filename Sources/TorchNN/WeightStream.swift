import Foundation
public import Torch

/// Brings weights of linear layers to where they are multiplied, a few at a time, for networks that
/// are larger than the memory there.
///
/// The weights stay where they are, in a file that is mapped into memory, say. A ring of a fixed size
/// on the device holds those that are in use and those that come next: a thread of its own copies
/// ahead, in the order in which the weights were used before, while the layers compute. What comes is
/// the very bytes (or the number type asked for), so the numbers are those of a network that is there
/// as a whole.
///
/// On a GPU copies go through pinned memory and run beside the computation. A weight that a layer
/// asks for again at once, as one that maps tokens piece by piece does, is still there.
public final class WeightStream: @unchecked Sendable {
    /// What was brought so far.
    public struct Figures: Equatable, Sendable {
        /// Weights that were brought.
        public var count = 0
        /// Their bytes.
        public var bytes = 0
        /// Weights that a layer asked for when another was expected, so that it waited for the whole copy.
        public var surprises = 0
    }

    /// The device that weights are brought to.
    public let device: Device
    /// Bytes of the ring.
    public let capacity: Int
    private let state: StreamState

    /// Begins to bring the weights of layers.
    ///
    /// - Parameters:
    ///   - layers: In about the order of their use. Their weights lie on the CPU and must not change
    ///     while they are streamed; they do not move.
    ///   - device: Where the layers compute.
    ///   - dtype: The type in which plain weights are brought; nil for their own.
    ///   - capacity: Bytes of the ring, at least those of the largest weight. Twice as many let a
    ///     weight come while another is used.
    /// - Throws: `TorchError` for a ring that is too small, naming the largest weight, or that the
    ///   device has no memory for.
    public init(
        _ layers: [Linear], to device: Device, dtype: DType? = nil, capacity: Int
    ) throws {
        let weights = layers.map { StreamedWeight($0.weight, dtype: dtype) }
        if let largest = weights.max(by: { $0.byteCount < $1.byteCount }),
            largest.byteCount > capacity
        {
            throw TorchError(
                .outOfMemory,
                "\(largest.name) takes \(largest.byteCount) bytes; the room for streamed weights is "
                    + "\(capacity) bytes. Give it more memory.")
        }
        (self.device, self.capacity) = (device, capacity)
        state = try StreamState(weights, on: device, capacity: capacity)
        for (index, layer) in layers.enumerated() { layer.stream = (self, index) }
        let state = state
        Thread { state.bringWeights() }.start()
    }

    deinit { state.close() }

    /// What was brought so far.
    public var figures: Figures { state.read { $0.figures } }

    /// Gives the ring's memory back until a layer asks for a weight again.
    ///
    /// - Throws: What kept the last weights from coming.
    public func giveRoomBack() throws { try state.giveRoomBack() }

    /// The bytes that the ring needs for a layer's weight.
    ///
    /// - Parameter dtype: The type in which plain weights are brought; nil for their own.
    public static func byteCount(of layer: Linear, dtype: DType? = nil) -> Int {
        StreamedWeight(layer.weight, dtype: dtype).byteCount
    }

    /// Runs `body` with a weight on the device.
    func withWeight<Result>(_ index: Int, _ body: (LinearWeight) throws -> Result) throws -> Result
    {
        guard !gradientsEnabled else {
            throw TorchError(
                .invalid,
                "\(state.weights[index].name) is streamed, and gone when gradients need it; train with "
                    + "a network that is loaded as a whole")
        }
        let entry = try state.take(index)
        let stream = device.kind == .cpu ? nil : try DeviceStream.current(on: device)
        if let arrival = entry.arrival { try stream?.wait(for: arrival) }
        defer { state.giveBack(entry, after: try? stream?.event()) }
        return try body(entry.weight)
    }
}

/// A weight and how it lies in the ring.
private struct StreamedWeight {
    /// Tensors of the weight: the values, or codes and scales.
    struct Part {
        let source: Tensor
        let dtype: DType
        var byteCount: Int { source.count * dtype.size }
    }

    let name: String
    let weight: LinearWeight
    let parts: [Part]

    init(_ weight: LinearWeight, dtype: DType?) {
        self.weight = weight
        switch weight {
        case .plain(let parameter):
            name = parameter.name
            parts = [Part(source: parameter.value, dtype: dtype ?? parameter.value.dtype)]
        case .quantized(let few):
            name = few.name
            parts = ([few.codes] + (few.scales.map { [$0] } ?? [])).map {
                Part(source: $0, dtype: $0.dtype)
            }
        }
    }

    /// Parts begin where a device reads quickest.
    static let alignment = 256

    static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

    var byteCount: Int { parts.reduce(0) { $0 + Self.aligned($1.byteCount) } }

    /// The parts' places in the ring for a weight that begins at an offset.
    func targets(in ring: Tensor, from offset: Int) throws -> [Tensor] {
        var offset = offset
        return try parts.map { part in
            defer { offset += Self.aligned(part.byteCount) }
            return try ring.viewed(from: offset, part.source.shape, as: part.dtype)
        }
    }

    /// The weight as it lies in the ring.
    func weight(on targets: [Tensor]) throws -> LinearWeight {
        switch weight {
        case .plain(let parameter): .plain(Parameter(parameter.name, targets[0]))
        case .quantized(let few):
            .quantized(
                try QuantizedWeight(
                    few.name, few.format, shape: few.shape, codes: targets[0],
                    scales: targets.count > 1 ? targets[1] : nil))
        }
    }
}

/// A weight in the ring.
private final class StreamEntry {
    let index: Int
    let range: Range<Int>
    let weight: LinearWeight
    let targets: [Tensor]
    var isThere = false
    var uses = 0
    /// When the copy is done, on a GPU.
    var arrival: DeviceEvent?
    /// When the last product with it is done, on a GPU.
    var lastUse: DeviceEvent?

    init(_ index: Int, _ range: Range<Int>, _ weight: LinearWeight, _ targets: [Tensor]) {
        (self.index, self.range, self.weight, self.targets) = (index, range, weight, targets)
    }
}

/// The ring, and who wants what in it; both threads meet here.
private final class StreamState: @unchecked Sendable {
    let weights: [StreamedWeight]
    private let device: Device
    private let capacity: Int
    private let copying: CopyLane
    private let condition = NSCondition()

    // All below is read and written under the condition's lock.

    var figures = WeightStream.Figures()
    /// nil after its memory was given back.
    private var ring: Tensor?
    /// In the order in which they came; they lie in that order around the ring.
    private var entries: [StreamEntry] = []
    /// Where the next one begins.
    private var head = 0
    /// The weight that followed each one when it was used last.
    private var follower: [Int]
    /// The weight that was asked for last, and those before it that a loop may ask for again.
    private var recent: [Int] = []
    private var demand: Int?
    private var failure: (any Error)?
    /// Whether nothing is brought before a layer asks.
    private var isResting = false
    private var isClosed = false

    init(_ weights: [StreamedWeight], on device: Device, capacity: Int) throws {
        (self.weights, self.device, self.capacity) = (weights, device, capacity)
        copying = try CopyLane(to: device)
        follower = weights.indices.map { ($0 + 1) % weights.count }
        ring = try emptyRing()
    }

    private func emptyRing() throws -> Tensor {
        try .empty([max(capacity, 1)], dtype: .uint8, device: device)
    }

    func read<Value>(_ body: (StreamState) -> Value) -> Value {
        condition.withLock { body(self) }
    }

    func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
        }
    }

    // MARK: - The layers' side

    /// Waits until a weight is there, and keeps it there until it is given back.
    func take(_ index: Int) throws -> StreamEntry {
        condition.lock()
        defer { condition.unlock() }
        note(index)
        condition.broadcast()
        while true {
            if let failure { throw failure }
            if let entry = entry(index) {
                if entry.isThere {
                    entry.uses += 1
                    return entry
                }
            } else if demand != index {
                demand = index
                condition.broadcast()
            }
            condition.wait()
        }
    }

    /// Drops the ring once nothing is copied into it any more; nothing comes until a layer asks.
    func giveRoomBack() throws {
        try condition.withLock {
            recent = []
            isResting = true
            while failure == nil, entries.contains(where: { !$0.isThere }) { condition.wait() }
            if let failure { throw failure }
            for entry in entries { try entry.arrival?.synchronize() }
            (entries, ring, head) = ([], nil, 0)
        }
    }

    func giveBack(_ entry: StreamEntry, after use: DeviceEvent?) {
        condition.withLock {
            entry.uses -= 1
            entry.lastUse = use ?? entry.lastUse
            condition.broadcast()
        }
    }

    /// Learns the order, but for what a loop repeats.
    private func note(_ index: Int) {
        isResting = false
        let isThere = entry(index) != nil
        if recent.contains(index), isThere { return }
        if !isThere, !upcoming().contains(index) { figures.surprises += 1 }
        if let last = recent.last { follower[last] = index }
        recent.removeAll { $0 == index }
        recent.append(index)
        // Half of the ring is for what was used just now, the other for what comes.
        var bytes = 0
        let kept = recent.reversed().prefix {
            bytes += weights[$0].byteCount
            return bytes <= max(capacity / 2, weights[index].byteCount)
        }
        recent = kept.reversed()
    }

    private func entry(_ index: Int) -> StreamEntry? { entries.first { $0.index == index } }

    // MARK: - The thread's side

    /// Brings weights until the stream is closed.
    func bringWeights() {
        while let entry = nextEntry() {
            do {
                let arrival = try copying.copy(
                    weights[entry.index].parts.map(\.source), to: entry.targets)
                condition.withLock {
                    entry.arrival = arrival
                    entry.isThere = true
                    figures.count += 1
                    figures.bytes += weights[entry.index].byteCount
                    condition.broadcast()
                }
            } catch {
                fail(error)
            }
        }
    }

    private func fail(_ error: any Error) {
        condition.withLock {
            failure = error
            condition.broadcast()
        }
    }

    /// Waits for a weight to bring, and for room; nil once the stream is closed.
    private func nextEntry() -> StreamEntry? {
        condition.lock()
        defer { condition.unlock() }
        while !isClosed, failure == nil {
            do {
                if let wanted = demand {
                    if let entry = try place(wanted, isDemanded: true) {
                        demand = nil
                        return entry
                    }
                } else if let wanted = expected(), let entry = try place(wanted, isDemanded: false)
                {
                    return entry
                }
            } catch {
                failure = error
                condition.broadcast()
                break
            }
            condition.wait()
        }
        return nil
    }

    /// The weights that come next as far as the ring has room for them.
    private func upcoming() -> [Int] {
        guard var index = recent.last ?? weights.indices.first else { return [] }
        var list = recent.isEmpty ? [index] : []
        var bytes = recent.reduce(0) { $0 + weights[$1].byteCount }
        while list.count < weights.count {
            index = follower[index]
            bytes += weights[index].byteCount
            if bytes > capacity || list.contains(index) || recent.contains(index) { break }
            list.append(index)
        }
        return list
    }

    private func expected() -> Int? { isResting ? nil : upcoming().first { entry($0) == nil } }

    /// Makes room for a weight at the head of the ring; nil where what is there is still needed.
    private func place(_ index: Int, isDemanded: Bool) throws -> StreamEntry? {
        let weight = weights[index]
        let start = head + weight.byteCount <= capacity ? head : 0
        let range = start..<start + weight.byteCount
        let inTheWay = entries.filter { $0.range.overlaps(range) }
        let needed = isDemanded ? [] : Set(recent + upcoming())
        if inTheWay.contains(where: { $0.uses > 0 || needed.contains($0.index) }) { return nil }
        // The copy must not overtake the products that read what was there.
        for entry in inTheWay { try copying.wait(for: entry.lastUse) }
        entries.removeAll { $0.range.overlaps(range) }
        head = range.upperBound
        let ring = try self.ring ?? emptyRing()
        self.ring = ring
        let targets = try weight.targets(in: ring, from: start)
        let entry = StreamEntry(index, range, try weight.weight(on: targets), targets)
        entries.append(entry)
        return entry
    }
}

/// Copies from the machine's memory to a device: on a GPU through pinned memory and on a stream of its
/// own, so that neither the caller nor the computation waits.
private final class CopyLane {
    /// Bytes of one of the pinned buffers; two of them let one be filled while the other is read.
    private static let bufferSize = 32 << 20

    private let stream: DeviceStream?
    private var buffers: [(bytes: Tensor, isRead: DeviceEvent?)] = []
    private var next = 0

    init(to device: Device) throws {
        guard device.kind != .cpu else {
            stream = nil
            return
        }
        stream = try DeviceStream(on: device)
        for _ in 0..<2 { buffers.append((try .pinnedBytes(Self.bufferSize), nil)) }
    }

    /// Has later copies wait for an event.
    func wait(for event: DeviceEvent?) throws {
        if let event { try stream?.wait(for: event) }
    }

    /// Copies tensors, each into one of its shape; the event tells when that is done, where it is not.
    func copy(_ sources: [Tensor], to targets: [Tensor]) throws -> DeviceEvent? {
        for (source, target) in zip(sources, targets) { try copy(source, to: target) }
        return try stream?.event()
    }

    private func copy(_ source: Tensor, to target: Tensor) throws {
        guard let stream else { return try target.copy(from: source) }
        let (source, target) = (try source.reshape(-1), try target.reshape(-1))
        let size = Self.bufferSize / target.dtype.size
        for start in stride(from: 0, to: source.count, by: size) {
            let count = min(size, source.count - start)
            try buffers[next].isRead?.synchronize()
            let pinned = try buffers[next].bytes.viewed(from: 0, [count], as: target.dtype)
            try pinned.copy(from: source.narrow(0, start, count))
            try stream.copy(from: pinned, to: target.narrow(0, start, count))
            buffers[next].isRead = try stream.event()
            next = (next + 1) % buffers.count
        }
    }
}
