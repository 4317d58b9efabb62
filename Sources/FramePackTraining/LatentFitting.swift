public import FramePack
public import Models
import Torch
public import TorchNN

/// Mean and deviation of each latent channel over a set of videos.
public struct LatentStatistics: Sendable, Codable {
    /// Mean of each channel, unscaled.
    public let means: [Double]
    /// Standard deviation of each channel, unscaled.
    public let deviations: [Double]

    /// Measures the posterior means of clips.
    public init(_ vae: VAE, _ clips: [Clip]) throws {
        let rows = try withoutGradients {
            try Tensor.cat(
                clips.map { clip in
                    try vae.encode(clip.video).mean.transpose(0, 1).flatten(1)
                }, axis: 1)
        }
        means = try rows.mean([1]).array(Double.self)
        deviations = try rows.standardDeviation([1]).array(Double.self)
    }

    /// The deviation of all channels together.
    public var overall: Double {
        (deviations.reduce(0) { $0 + $1 * $1 } / Double(deviations.count)).squareRoot()
    }
}

/// Folds a mean and a deviation per channel into the 1×1×1 convolutions around the latents.
///
/// The VAE's pixels stay the same; its latents then have mean 0 and one common deviation in every
/// channel, and `scaling_factor` becomes one over that deviation.
/// - Returns: The configuration with the new factor.
public func normalizeLatents(
    _ store: ParameterStore, _ config: VAEConfig, _ statistics: LatentStatistics
) throws -> VAEConfig {
    let channels = config.latentChannels
    let overall = statistics.overall
    let ratio = try Tensor(statistics.deviations.map { Float(overall / $0) })
    let mean = try Tensor(statistics.means.map(Float.init))
    func value(_ name: String) throws -> Tensor {
        guard let parameter = store[name] else {
            throw TrainingError("the VAE has no parameter \(name)")
        }
        return parameter.value
    }
    try withoutGradients {
        let weight = try value("quant_conv.weight").narrow(0, 0, channels)
        let bias = try value("quant_conv.bias")
        try weight.multiplyInPlace(ratio.reshape(channels, 1, 1, 1, 1))
        let meanBias = try bias.narrow(0, 0, channels)
        try meanBias.copy(from: (meanBias - mean) * ratio)
        try bias.narrow(0, channels, channels).addInPlace(ratio.log(), scale: 2)

        let outWeight = try value("post_quant_conv.weight")
        let outBias = try value("post_quant_conv.bias")
        let matrix = try outWeight.reshape(channels, channels)
        try outBias.addInPlace(matrix.matmul(mean))
        try outWeight.divideInPlace(ratio.reshape(1, channels, 1, 1, 1))
    }
    var fitted = config
    fitted.scalingFactor = 1 / overall
    return fitted
}

extension LatentPreview.Map {
    /// Fits the map by least squares to clips: each latent against the mean colour of its pixels.
    public init(_ vae: VAE, _ clips: [Clip]) throws {
        let channels = vae.config.latentChannels
        var left = [[Double]](
            repeating: [Double](repeating: 0, count: channels + 1), count: channels + 1)
        var right = [[Double]](repeating: [0, 0, 0], count: channels + 1)
        try withoutGradients {
            for clip in clips {
                let latents = try vae.encode(clip.video).mean * vae.config.scalingFactor
                let x = try latents.transpose(0, 1).flatten(1)
                let ones = try Tensor.ones([1, x.dim(1)])
                let design = try Tensor.cat([x, ones], axis: 0)  // (C + 1, n)
                let colours = try Self.colours(clip.video, vae.config).transpose(0, 1).flatten(1)
                let gram = try design.matmul(design.transpose(0, 1)).array(Double.self)
                let moments = try design.matmul(colours.transpose(0, 1)).array(Double.self)
                for row in 0...channels {
                    for column in 0...channels {
                        left[row][column] += gram[row * (channels + 1) + column]
                    }
                    for colour in 0..<3 { right[row][colour] += moments[row * 3 + colour] }
                }
            }
        }
        for index in 0...channels { left[index][index] += 1e-3 }
        let solution = solve(left, right)
        self.init(weights: Array(solution[..<channels]), bias: solution[channels])
    }

    /// Mean colours in [0, 1] of the pixels behind each latent, `(B, 3, F, h, w)`.
    private static func colours(_ video: Tensor, _ config: VAEConfig) throws -> Tensor {
        let space = config.spatialCompressionRatio
        let time = config.temporalCompressionRatio
        let first = try video.narrow(2, 0, 1).averagePool3d([1, space, space])
        guard video.dim(2) > 1 else { return try (first + 1) * 0.5 }
        let others = try video.narrow(2, 1, video.dim(2) - 1).averagePool3d([time, space, space])
        return try (Tensor.cat([first, others], axis: 2) + 1) * 0.5
    }
}

/// Solves `left · x = right` by elimination with row exchange; `left` is square and regular.
func solve(_ left: [[Double]], _ right: [[Double]]) -> [[Double]] {
    var rows = zip(left, right).map { $0 + $1 }
    let size = left.count
    for pivot in 0..<size {
        let best = (pivot..<size).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
        rows.swapAt(pivot, best)
        for row in 0..<size where row != pivot {
            let factor = rows[row][pivot] / rows[pivot][pivot]
            for column in pivot..<rows[row].count {
                rows[row][column] -= factor * rows[pivot][column]
            }
        }
    }
    return (0..<size).map { row in rows[row][size...].map { $0 / rows[row][row] } }
}
