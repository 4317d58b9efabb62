public import Models
public import Torch

/// Turns latents into frames in the reference's windows, and keeps windows that come up again.
///
/// A section's decoding begins where the one before it ended or began, so that some windows meet
/// the very same latents; what they gave is kept instead of decoded again, which changes nothing.
///
/// Source: `vae_decode` in `diffusers_helper/hunyuan.py`; the joins of `demo_gradio.py`.
public final class FrameDecoder {
    private let vae: () throws -> VAE
    private let plan: SectionPlan
    private let tiling: VAETiling
    private let dtype: DType
    private let device: Device
    private let onProgress: () throws -> Void
    /// Pixels of windows by their latents' numbers in the video.
    private var kept: [Range<Int>: Tensor] = [:]
    /// How many windows were decoded, and how many were there already.
    public private(set) var windowCounts = (decoded: 0, kept: 0)

    /// Makes a decoder of one video.
    ///
    /// - Parameters:
    ///   - vae: The VAE.
    ///   - plan: The sections.
    ///   - tiling: The windows, and spatial tiles if any.
    ///   - dtype: The type to compute in.
    ///   - device: Where the VAE is.
    ///   - onProgress: Called before each convolution; what it throws ends the decoding.
    public convenience init(
        _ vae: VAE, plan: SectionPlan, tiling: VAETiling = .reference, dtype: DType = .float32,
        device: Device = .cpu, onProgress: @escaping () throws -> Void = {}
    ) {
        self.init(
            loading: { vae }, plan: plan, tiling: tiling, dtype: dtype, device: device,
            onProgress: onProgress)
    }

    /// Makes a decoder that asks for the VAE whenever it decodes, so that others may let it go between.
    init(
        loading vae: @escaping () throws -> VAE, plan: SectionPlan, tiling: VAETiling,
        dtype: DType, device: Device, onProgress: @escaping () throws -> Void
    ) {
        (self.vae, self.plan, self.tiling) = (vae, plan, tiling)
        (self.dtype, self.device, self.onProgress) = (dtype, device, onProgress)
    }

    /// Decodes what is decoded after a section.
    ///
    /// - Parameters:
    ///   - section: A section after which something is decoded.
    ///   - history: The latents so far, in pieces of `(1, 16, F, h, w)`.
    /// - Returns: `(1, 3, N, H, W)` around [-1, 1], not clamped, in float32 on the CPU; N is 4n - 3
    ///   for n latents.
    /// - Throws: `FramePackError.conflictingSettings` for a latent that does not exist yet; what
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func decode(after section: Section, _ history: LatentHistory) throws -> Tensor {
        let range = section.decodedLatents
        let latents = try history.latents(range).to(device, dtype)
        let vae = try vae()
        let next = plan.neighbours(of: section).after
        let wanted = next.map { Self.windows(of: $0, tiling: tiling, vae.config) } ?? []
        var found: [Range<Int>: Tensor] = [:]
        let pixels = try vae.decode(
            latents, tiling: tiling,
            window: { window, decode in
                let place = window.moved(by: range.lowerBound)
                if let known = self.kept[place] {
                    self.windowCounts.kept += 1
                    if wanted.contains(place) { found[place] = known }
                    return known
                }
                self.windowCounts.decoded += 1
                let decoded = try decode()
                if wanted.contains(place) { found[place] = decoded }
                return decoded
            }, onProgress: onProgress)
        kept = found
        return try pixels.to(.cpu, .float32)
    }

    /// Decodes a whole video whose latents are all there, joined as in a run.
    ///
    /// - Parameter history: The latents of every section.
    /// - Returns: `(1, 3, N, H, W)` around [-1, 1], not clamped, in float32 on the CPU; N counts the
    ///   frames before anything is cut.
    /// - Throws: As ``decode(after:_:)``.
    public func decodeAll(_ history: LatentHistory) throws -> Tensor {
        var append = SoftAppend(plan)
        var parts: [Int: Tensor] = [:]
        for section in plan.decodings {
            let pixels = try decode(after: section, history)
            parts[section.newFrames.lowerBound] = try append.join(pixels, after: section)
        }
        return try .cat(parts.sorted { $0.key < $1.key }.map(\.value), axis: 2)
    }

    /// The windows of a section, by their latents' numbers in the video.
    static func windows(of section: Section, tiling: VAETiling, _ config: VAEConfig) -> Set<
        Range<Int>
    > {
        let range = section.decodedLatents
        return Set(
            tiling.windows(latentCount: range.count, config).map {
                $0.moved(by: range.lowerBound)
            })
    }
}

/// Turns latents into frames in time order, each latent once.
///
/// It is not exactly what windows give: norms take their statistics from each piece.
public final class StreamingFrameDecoder {
    /// Latents that are decoded at a time.
    public static let pieceLength = 5

    private let vae: VAE
    private let dtype: DType
    private let device: Device
    private let stream = VAEStream()

    /// Begins a video.
    public init(_ vae: VAE, dtype: DType = .float32, device: Device = .cpu) {
        (self.vae, self.dtype, self.device) = (vae, dtype, device)
    }

    /// Decodes the next latents.
    ///
    /// - Parameters:
    ///   - latents: `(1, 16, F, h, w)`, scaled, in time order after those before.
    ///   - onProgress: Called before each convolution; what it throws ends the decoding.
    /// - Returns: `(1, 3, N, H, W)` around [-1, 1], not clamped, in float32 on the CPU: 4F frames,
    ///   or 4F - 3 at the beginning.
    /// - Throws: `ModelError` that names the latents and what is wrong with their shape; what
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func decode(_ latents: Tensor, onProgress: @escaping () throws -> Void = {}) throws
        -> Tensor
    {
        let count = latents.dim(2)
        let parts = try stride(from: 0, to: count, by: Self.pieceLength).map { start in
            let piece = try latents.narrow(2, start, min(Self.pieceLength, count - start))
            return try vae.decode(
                piece.to(device, dtype), stream: stream, onProgress: onProgress
            ).to(.cpu, .float32)
        }
        return try .cat(parts, axis: 2)
    }
}

extension Range<Int> {
    fileprivate func moved(by offset: Int) -> Range<Int> {
        (lowerBound + offset)..<(upperBound + offset)
    }
}
