/// The sizes of a RAFT network; torchvision publishes two.
///
/// Source: torchvision `raft_large`, `raft_small`; arXiv 2003.12039.
public struct RAFTConfig: Sendable, Equatable {
    /// How an encoder's convolutions are normalised.
    enum Norm: Sendable { case none, instance, batch }

    /// What is published as `raft_large` or `raft_small`.
    public let isLarge: Bool

    /// The sizes of `raft_large`, about 5.3 million weights.
    public static let large = RAFTConfig(isLarge: true)
    /// The sizes of `raft_small`, about 1 million weights.
    public static let small = RAFTConfig(isLarge: false)

    /// Channels of an encoder's stages; the last is what comes out.
    var featureWidths: [Int] { isLarge ? [64, 64, 96, 128, 256] : [32, 32, 64, 96, 128] }
    var contextWidths: [Int] { isLarge ? [64, 64, 96, 128, 256] : [32, 32, 64, 96, 160] }
    var contextNorm: Norm { isLarge ? .batch : .none }
    /// Neighbours that are looked at each way, at each level of correlation.
    var radius: Int { isLarge ? 4 : 3 }
    /// Levels of correlation, each half as fine as the one before.
    var levelCount: Int { 4 }
    var correlationSize: Int { levelCount * (2 * radius + 1) * (2 * radius + 1) }
    var correlationWidths: [Int] { isLarge ? [256, 192] : [96] }
    var flowWidths: [Int] { isLarge ? [128, 64] : [64, 32] }
    var motionSize: Int { isLarge ? 128 : 82 }
    var hiddenSize: Int { isLarge ? 128 : 96 }
    /// The kernels of the recurrent units, one after the other.
    var recurrentKernels: [[Int]] { isLarge ? [[1, 5], [5, 1]] : [[3, 3]] }
    var headSize: Int { isLarge ? 256 : 128 }

    /// The least height and width of pictures, in pixels: below, the coarsest level is too small.
    public static let leastSide = 128
}
