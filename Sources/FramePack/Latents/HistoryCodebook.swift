import Checkpoints
public import Foundation
public import Torch

/// The latent pixels that a discrete history consists of: option +D of a packing.
///
/// Every latent pixel of the history is replaced by the nearest entry, so that small errors, which
/// would add up from section to section, vanish. A model has to be trained with it.
///
/// Source: arXiv 2504.12626v3, history discretization.
public struct HistoryCodebook {
    /// The file that holds it, in a transformer's folder: one tensor, `codebook`.
    public static let fileName = "history_codebook.safetensors"

    /// The entries, `(K, C)` in float32, in the VAE's scaled units.
    public let entries: Tensor

    /// Takes entries, `(K, C)`.
    ///
    /// - Throws: `FramePackError.model` for another shape.
    public init(entries: Tensor) throws {
        guard entries.rank == 2, entries.dim(0) > 0 else {
            throw FramePackError.model(
                "A history codebook is \(entries.shape); it must be (K, C), one row an entry.")
        }
        self.entries = try entries.to(.cpu, .float32)
    }

    /// Reads a file.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be read, `FramePackError.model` for one
    ///   without a codebook.
    public init(contentsOf url: URL) throws {
        let file = try SafetensorsFile(url)
        guard file.names.contains("codebook") else {
            throw FramePackError.model("\(url.path) has no tensor codebook.")
        }
        try self.init(entries: file.tensor("codebook").clone())
    }

    /// How many entries there are, K.
    public var count: Int { entries.dim(0) }

    /// The latents with every pixel replaced by the nearest entry.
    ///
    /// - Parameter latents: `(B, C, F, h, w)`, in the VAE's scaled units.
    /// - Returns: The same shape, in float32 on the CPU.
    /// - Throws: `FramePackError.model` where the entries have another number of channels.
    public func nearest(to latents: Tensor) throws -> Tensor {
        guard latents.rank == 5, latents.dim(1) == entries.dim(1) else {
            throw FramePackError.model(
                "The history codebook has \(entries.dim(1)) channels; the latents are "
                    + "\(latents.shape).")
        }
        let pixels = try latents.to(.cpu, .float32).permute(0, 2, 3, 4, 1)
        let rows = try pixels.reshape(-1, entries.dim(1))
        let chosen = try entries.indexSelect(0, numbers(of: rows)).reshape(pixels.shape)
        return try chosen.permute(0, 4, 1, 2, 3).contiguous()
    }

    /// The number of the entry nearest to each row of `(n, C)`, `(n)`.
    ///
    /// - Throws: `TorchError` for another number of channels.
    public func numbers(of rows: Tensor) throws -> Tensor {
        // |x - e|² without |x|², which is the same for all entries.
        let lengths = try entries.square().sum([1])
        return try (rows.matmul(entries.transpose(0, 1)) * 2 - lengths).argmax(1)
    }
}
