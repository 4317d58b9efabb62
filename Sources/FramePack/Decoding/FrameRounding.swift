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
        // One frame at a time: what lies between pixels and levels is five times the levels.
        try (0..<pixels.dim(2)).map { frame in
            let scaled =
                try pixels.narrow(2, frame, 1).to(.float32).clamp(min: -1, max: 1) * 127.5 + 127.5
            let levels = try (self == .nearest ? scaled.round() : scaled.floor()).to(.uint8)
                .squeeze(2).squeeze(0).permute(1, 2, 0).contiguous()
            return Picture(
                width: levels.dim(1), height: levels.dim(0), pixels: try levels.array(UInt8.self))
        }
    }
}
