public import Torch
public import ToyWorld

/// Pixels of rendered scenes, with where the objects are.
public struct Clip {
    /// `(B, 3, N, S, S)` in [−1, 1].
    public let video: Tensor
    /// How much of each pixel objects cover, `(B, 1, N, S, S)` in [0, 1].
    public let mask: Tensor
}

/// Endless scenes of the toy world: the same seed gives the same scenes.
public struct WorldClips: Sendable {
    /// The worlds that scenes are drawn from, in turn by their weights.
    public var configs: [(config: WorldConfig, weight: Double)]
    /// The side of the picture, in pixels.
    public let side: Int
    /// The seed of the whole stream.
    public let seed: UInt64

    /// Starts a stream.
    public init(
        side: Int, seed: UInt64, configs: [(config: WorldConfig, weight: Double)] = [(.simple, 1)]
    ) {
        self.side = side
        self.seed = seed
        self.configs = configs
    }

    /// The scene of a number; training never sees held-out combinations.
    public func scene(_ number: Int, split: Split = .training) -> Scene {
        var random = SplitMix64(seed: SplitMix64.mix(seed &+ UInt64(number)))
        var draw = Double.random(in: 0..<configs.reduce(0) { $0 + $1.weight }, using: &random)
        let choice = configs.first { item in
            draw -= item.weight
            return draw < 0
        }
        return Scene(
            seed: random.next(), side: side, config: choice?.config ?? .simple, split: split)
    }

    /// Clips of several scenes, each a run of frames from its own beginning.
    ///
    /// - Parameters:
    ///   - starts: The first frame of each clip.
    ///   - count: The number of frames.
    public func render(_ scenes: [Scene], starts: [Int], count: Int) throws -> Clip {
        let area = side * side
        var pixels: [UInt8] = []
        pixels.reserveCapacity(scenes.count * count * area * 3)
        var masks: [Float] = []
        masks.reserveCapacity(scenes.count * count * area)
        for (scene, start) in zip(scenes, starts) {
            pixels += scene.render(frames: start..<start + count)
            for frame in start..<start + count { masks += scene.objectMask(frame: frame) }
        }
        let raw = try Tensor(pixels, [scenes.count, count, side, side, 3])
        return Clip(
            video: try pixelsToUnit(raw),
            mask: try Tensor(masks, [scenes.count, 1, count, side, side]))
    }
}

/// 8-bit frames `(B, N, H, W, 3)` as `(B, 3, N, H, W)` in [−1, 1].
func pixelsToUnit(_ frames: Tensor) throws -> Tensor {
    try (frames.to(.float32).permute(0, 4, 1, 2, 3) / 127.5 - 1).contiguous()
}
