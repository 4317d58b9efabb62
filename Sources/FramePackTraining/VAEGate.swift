public import Models
import Torch
public import ToyWorld

/// What a VAE can and can't carry, before anything is trained on its latents.
public struct VAEGate: Codable, Sendable {
    /// PSNR of each frame of the clips, dB, mean over the clips.
    public var psnrByFrame: [Double]
    /// PSNR of the objects' pixels, dB.
    public var objectPSNR: Double
    /// How far behind decoded movers are, in pixels at 64 pixels a side: the mean distance between
    /// where an object is seen and where it is, along its way.
    public var lag: Double
    /// What the judge says of the decoded videos.
    public var judged: JudgeSummary
    /// What the judge says of the rendered ones.
    public var rendered: JudgeSummary

    /// Measures encoding and decoding of scenes in the reference's windows.
    ///
    /// - Parameter frames: Frames of each clip, 4n + 1.
    public init(_ vae: VAE, _ clips: WorldClips, numbers: Range<Int>, frames: Int) throws {
        var squares = [Double](repeating: 0, count: frames)
        var object = (error: 0.0, weight: 0.0)
        var distances: [Double] = []
        var decodedReports: [VideoReport] = []
        var renderedReports: [VideoReport] = []
        for number in numbers {
            let scene = clips.scene(number, split: .any)
            let clip = try clips.render([scene], starts: [0], count: frames)
            let decoded = try withoutGradients {
                let latents = try vae.encode(clip.video).mean * vae.config.scalingFactor
                return try vae.decode(latents).clamp(min: -1, max: 1)
            }
            let error = try (decoded - clip.video).square().mean([1], keepAxes: true)
            for (frame, value) in try error.mean([0, 1, 3, 4]).array(Double.self).enumerated() {
                squares[frame] += value
            }
            object.error += try (error * clip.mask).sum().item()
            object.weight += try clip.mask.sum().item()
            let pixels = try unitToPixels(decoded)
            decodedReports.append(
                Judge().report(video: pixels, side: clips.side, facts: scene.facts, scene: scene))
            renderedReports.append(
                Judge().report(
                    video: scene.render(frames: 0..<frames), side: clips.side, facts: scene.facts,
                    scene: scene))
            distances += Self.lags(pixels, scene, frames: frames)
        }
        psnrByFrame = squares.map { psnr($0 / Double(numbers.count)) }
        objectPSNR = psnr(object.error / max(object.weight, 1))
        lag = distances.isEmpty ? 0 : distances.reduce(0, +) / Double(distances.count) * 64
        judged = JudgeSummary(decodedReports)
        rendered = JudgeSummary(renderedReports)
    }

    /// How far behind its true place each straight mover is seen, in sides of the picture.
    private static func lags(_ pixels: [UInt8], _ scene: Scene, frames: Int) -> [Double] {
        var eye = Eye(side: scene.side)
        let bytes = scene.frameBytes
        return (8..<frames).compactMap { frame in
            guard scene.actors.count == 1, let state = scene.state(frame: frame).first,
                let place = state.visibleCentre, state.visibleFraction > 0.95
            else { return nil }
            let speed = (state.velocity * state.velocity).sum().squareRoot()
            guard speed > 0.1 else { return nil }
            let seen = pixels.withUnsafeBufferPointer { buffer in
                eye.look(
                    at: UnsafeBufferPointer(
                        rebasing: buffer[frame * bytes..<(frame + 1) * bytes]), fitsShapes: false)
            }
            guard let found = seen.first(where: { $0.colour == state.colour }) else { return nil }
            let offset = place / Double(scene.side) - found.centre
            return (offset * state.velocity).sum() / speed
        }
    }
}

/// Pixels `(1, 3, N, H, W)` in [−1, 1] as 8-bit frames `[N, H, W, 3]`, rounded.
func unitToPixels(_ video: Tensor) throws -> [UInt8] {
    let frames = try ((video.clamp(min: -1, max: 1) + 1) * 127.5).round()
    return try frames.squeeze(0).permute(1, 2, 3, 0).contiguous().to(.uint8).array()
}
