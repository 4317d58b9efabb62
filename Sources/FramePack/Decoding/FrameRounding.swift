public import Media
public import Torch

/// How pixels become 8-bit values.
public enum FrameRounding: Sendable {
    /// To the nearest value.
    case nearest
    /// Downwards, as the reference does; half a level darker on the whole.
    case down

    /// Frames as pictures.
    ///
    /// - Parameter pixels: `(1, 3, N, H, W)` around [-1, 1]; what lies outside is cut.
    /// - Returns: N pictures of W × H pixels.
    /// - Throws: `TorchError` where memory does not suffice.
    public func pictures(_ pixels: Tensor) throws -> [Picture] {
        let scaled = try pixels.to(.float32).clamp(min: -1, max: 1) * 127.5 + 127.5
        let levels = try (self == .nearest ? scaled.round() : scaled.floor()).to(.uint8)
            .squeeze(0).permute(1, 2, 3, 0)
        return try (0..<levels.dim(0)).map { frame in
            let picture = try levels.select(0, frame).contiguous()
            return Picture(
                width: levels.dim(2), height: levels.dim(1), pixels: try picture.array(UInt8.self))
        }
    }
}
