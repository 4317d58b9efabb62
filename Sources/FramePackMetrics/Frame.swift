/// One frame of a video: 8-bit RGB pixels.
public struct Frame: Sendable, Equatable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Red, green and blue of each pixel, row by row from the top: `width * height * 3` levels.
    public let pixels: [UInt8]

    /// A frame of given levels.
    ///
    /// - Parameters:
    ///   - width: Pixels in a row, at least 1.
    ///   - height: Rows, at least 1.
    ///   - pixels: `width * height * 3` levels.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "a frame needs at least one pixel")
        precondition(
            pixels.count == width * height * 3,
            "\(pixels.count) levels are not \(width) by \(height) RGB pixels")
        (self.width, self.height, self.pixels) = (width, height, pixels)
    }

    /// A frame of numbers, which are cut to 0...1 and rounded to levels.
    ///
    /// - Parameter values: `width * height * 3` numbers, 1 for full brightness.
    public init(width: Int, height: Int, values: [Float]) {
        self.init(
            width: width, height: height,
            pixels: values.map { UInt8((255 * min(max($0, 0), 1)).rounded()) })
    }

    /// The frames of a video that lies in one array, `[F, height, width, 3]`.
    public static func frames(of video: [UInt8], width: Int, height: Int) -> [Frame] {
        let bytes = 3 * width * height
        precondition(
            bytes > 0 && video.count % bytes == 0,
            "a video of \(width) by \(height) pixels can't have \(video.count) bytes")
        return stride(from: 0, to: video.count, by: bytes).map {
            Frame(width: width, height: height, pixels: Array(video[$0..<$0 + bytes]))
        }
    }

    /// The luma of each pixel, 0 to 255: 0.299 R + 0.587 G + 0.114 B.
    ///
    /// Source: ITU-R BT.601.
    public var luma: Plane {
        var values = [Float](repeating: 0, count: width * height)
        pixels.withUnsafeBufferPointer { pixels in
            for at in values.indices {
                let (red, green) = (Float(pixels[3 * at]), Float(pixels[3 * at + 1]))
                values[at] = 0.299 * red + 0.587 * green + 0.114 * Float(pixels[3 * at + 2])
            }
        }
        return Plane(width: width, height: height, values: values)
    }
}
