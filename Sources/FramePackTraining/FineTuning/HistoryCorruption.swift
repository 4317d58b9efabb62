package import Torch
package import ToyWorld

/// How the history of a sample is spoilt: what a model sees at inference is its own work, not the
/// clip's, and a model that was trained on clean history alone takes every flaw for the truth.
///
/// Amounts are the largest that are drawn; each sample draws its own, evenly from 0. The start latent
/// stays as it is, since it is never generated.
public struct HistoryCorruption: Sendable, Equatable {
    /// The share of samples that are spoilt, 0 to 1.
    public var share = 0.0
    /// The deviation of added noise, 0 to 4, in the latents' own units.
    public var noise = 0.0
    /// How much of a latent gives way to the mean over 3×3 neighbours, 0 to 1.
    public var blur = 0.0
    /// By which share a channel's distance from its mean over the picture grows or shrinks, 0 to 1:
    /// stronger or weaker colours and contrast.
    public var saturation = 0.0

    /// Clean history.
    public init() {}

    func check() throws(SettingProblem) {
        let table = SettingChecker("history")
        try table.check("share", share, in: 0...1)
        try table.check("noise", noise, in: 0...4)
        try table.check("blur", blur, in: 0...1)
        try table.check("saturation", saturation, in: 0...1)
    }

    /// A clip's latents as a sample's history sees them.
    ///
    /// - Parameters:
    ///   - clip: `(C, F, h, w)`, the start latent first; not changed.
    ///   - random: Where whether and how much is drawn; the same number of draws every time.
    /// - Returns: `(C, F, h, w)`.
    package func spoilt(_ clip: Tensor, _ random: inout SplitMix64) throws -> Tensor {
        func draw(_ range: ClosedRange<Double>) -> Double {
            Double.random(in: range, using: &random)
        }
        let isSpoilt = draw(0...1) < share
        let (noise, blur) = (draw(0...noise), draw(0...blur))
        let saturation = draw(-saturation...saturation)
        let seed = random.next()
        guard isSpoilt, clip.dim(1) > 1 else { return clip }
        var history = try clip.narrow(1, 1, clip.dim(1) - 1)
        if blur > 0 { history = try history.lerp(Self.blurred(history), blur) }
        if saturation != 0 {
            let mean = try history.mean([2, 3], keepAxes: true)
            history = try mean + (history - mean) * (1 + saturation)
        }
        if noise > 0 {
            history =
                try history
                + Tensor.randn(history.shape, generator: Generator(seed: seed)) * noise
        }
        return try .cat([clip.narrow(1, 0, 1), history], axis: 1)
    }

    /// The mean of each latent and its neighbours in the picture; edges are repeated.
    private static func blurred(_ latents: Tensor) throws -> Tensor {
        let (height, width) = (latents.dim(2), latents.dim(3))
        let padded = try latents.pad([1, 1, 1, 1], .replicate)
        var sum = try latents.zerosLike()
        for row in 0..<3 {
            for column in 0..<3 {
                sum = try sum + padded.narrow(2, row, height).narrow(3, column, width)
            }
        }
        return try sum / 9
    }
}

extension HistoryCorruption: ConfigurationTable {
    enum CodingKeys: String, CodingKey, CaseIterable { case share, noise, blur, saturation }
    typealias Key = CodingKeys

    /// Reads a table.
    public init(from decoder: any Decoder) throws {
        self.init()
        let fields = try ConfigurationReader(decoder, as: self)
        try fields.read(.share, &share)
        try fields.read(.noise, &noise)
        try fields.read(.blur, &blur)
        try fields.read(.saturation, &saturation)
    }
}
