/// The size of a picture or video in pixels.
public struct FrameSize: Hashable, Codable, Sendable, CustomStringConvertible {
    /// Pixels from top to bottom.
    public let height: Int
    /// Pixels from left to right.
    public let width: Int

    /// What both sides must be divisible by: 8 for the VAE times 2 for the patch kernel.
    public static let multiple = 16
    /// Pixels a latent covers along each side.
    public static let pixelsPerLatent = 8

    /// Makes a size; anything from a user is checked by `checked(height:width:)` instead.
    public init(height: Int, width: Int) {
        (self.height, self.width) = (height, width)
    }

    /// Makes a size that the network can generate.
    ///
    /// - Throws: `FramePackError.invalidSetting` that names the side and the nearest good values.
    public static func checked(height: Int, width: Int) throws(FramePackError) -> FrameSize {
        try check(side: "height", height)
        try check(side: "width", width)
        return FrameSize(height: height, width: width)
    }

    private static func check(side: String, _ pixels: Int) throws(FramePackError) {
        let limits = GenerationRequest.Limits.side
        guard limits.contains(pixels) else {
            throw .invalidSetting(
                name: side, found: "\(pixels)",
                wanted: "a multiple of 16 from \(limits.lowerBound) to \(limits.upperBound)")
        }
        guard pixels % multiple == 0 else {
            let below = pixels / multiple * multiple
            throw .invalidSetting(
                name: side, found: "\(pixels)",
                wanted: "a multiple of 16; use \(below) or \(below + multiple)")
        }
    }

    /// Rows of the latent grid, h.
    public var latentHeight: Int { height / Self.pixelsPerLatent }
    /// Columns of the latent grid, w.
    public var latentWidth: Int { width / Self.pixelsPerLatent }
    /// The size as "width x height", the way video players say it.
    public var description: String { "\(width)x\(height)" }
}
