/// A way in which libtorch attends on a GPU; raw values are its own numbers.
public enum AttentionWay: Int32, Sendable, CaseIterable, Codable {
    /// FlashAttention, which libtorch brings along.
    case flash = 1
    /// cuDNN's.
    case cuDNN = 3

    /// Its name in reports.
    var name: String { self == .flash ? "FlashAttention" : "cuDNN" }
}

/// Attention that takes so alike that what is quicker for one is so for all of a class.
public struct AttentionClass: Hashable, Sendable, CustomStringConvertible {
    /// The GPU.
    public let device: Device
    /// The type of queries, keys and values.
    public let dtype: DType
    /// D.
    public let headSize: Int
    /// The largest power of two that is no more than the queries of a head.
    public let queries: Int
    /// The same for the keys.
    public let keys: Int

    /// The fewest queries and keys for which a choice is worth its measurement.
    static let shortest = 1024

    /// The class of queries `(B, H, L, D)` and keys `(B, H, S, D)`; nil where nothing is to be chosen.
    init?(_ q: Tensor, _ k: Tensor) {
        guard q.rank == 4, k.rank == 4 else { return nil }
        self.init(
            q.device, q.dtype, headSize: q.dim(-1), queries: q.dim(-2), keys: k.dim(-2))
    }

    /// The class of attention of some length; nil where nothing is to be chosen.
    package init?(_ device: Device, _ dtype: DType, headSize: Int, queries: Int, keys: Int) {
        guard min(queries, keys) >= Self.shortest, [.bfloat16, .float16].contains(dtype) else {
            return nil
        }
        (self.device, self.dtype, self.headSize) = (device, dtype, headSize)
        (self.queries, self.keys) = (Self.powerOfTwo(queries), Self.powerOfTwo(keys))
    }

    private static func powerOfTwo(_ count: Int) -> Int {
        1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
    }

    /// Such as `cuda:0, bfloat16, heads of 128, from 16384 queries and 16384 keys on`.
    public var description: String {
        "\(device), \(dtype), heads of \(headSize), from \(queries) queries and \(keys) keys on"
    }
}

/// Which way attention goes on a GPU, from one measurement of each class.
///
/// Which of the two is quicker depends on the GPU: cuDNN's on some, FlashAttention on others.
public struct AttentionChoices: Sendable, Equatable {
    /// cuDNN's way is taken where it needs less than this part of FlashAttention's time: less is noise,
    /// and FlashAttention is what libtorch takes by itself.
    static let worthwhile = 0.97

    /// What one class took.
    public struct Measurement: Sendable, Equatable {
        /// The class.
        public let kind: AttentionClass
        /// Seconds of one attention; a way that libtorch cannot take is not there.
        public let seconds: [AttentionWay: Double]

        /// The way that is taken; nil where libtorch can take neither.
        public var way: AttentionWay? {
            guard let cuDNN = seconds[.cuDNN] else { return seconds[.flash] == nil ? nil : .flash }
            guard let flash = seconds[.flash] else { return .cuDNN }
            return cuDNN < worthwhile * flash ? .cuDNN : .flash
        }

        /// Such as `cuDNN for cuda:0, …: 8.12 ms, FlashAttention 13.05 ms`.
        public var text: String {
            guard let way else { return "neither FlashAttention nor cuDNN for \(kind)" }
            func time(_ way: AttentionWay) -> String {
                guard let seconds = seconds[way] else { return "not possible" }
                let hundredths = Int((seconds * 1e5).rounded())
                let fraction = "\(hundredths % 100)"
                return "\(hundredths / 100).\(fraction.count < 2 ? "0" : "")\(fraction) ms"
            }
            let other: AttentionWay = way == .flash ? .cuDNN : .flash
            return "\(way.name) for \(kind): \(time(way)), \(other.name) \(time(other))"
        }
    }

    /// What was measured, in that order.
    public private(set) var measurements: [Measurement] = []
    private var places: [AttentionClass: Int] = [:]

    /// Nothing measured yet.
    package init() {}

    /// What was measured for a class; nil where nothing was.
    package func measurement(of kind: AttentionClass) -> Measurement? {
        places[kind].map { measurements[$0] }
    }

    /// Keeps what was measured; the first measurement of a class holds.
    package mutating func add(_ measurement: Measurement) {
        guard places[measurement.kind] == nil else { return }
        places[measurement.kind] = measurements.count
        measurements.append(measurement)
    }
}

extension AttentionChoices.Measurement {
    /// Measures a class.
    ///
    /// - Parameter time: Seconds of one attention by a way; nil where it is not possible.
    package init(
        of kind: AttentionClass, _ time: (AttentionWay) throws(TorchError) -> Double?
    ) throws(TorchError) {
        var seconds: [AttentionWay: Double] = [:]
        for way in AttentionWay.allCases { seconds[way] = try time(way) }
        (self.kind, self.seconds) = (kind, seconds)
    }
}
