/// A picture of 8-bit RGB pixels.
public struct Picture: Equatable, Sendable {
    /// The largest edge that is read, in pixels.
    public static let largestEdge = 16_384

    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Red, green and blue of each pixel, row by row from the top: `width * height * 3` bytes.
    public var pixels: [UInt8]

    /// A picture of given pixels.
    ///
    /// - Parameters:
    ///   - width: Pixels in a row, at least 1.
    ///   - height: Rows, at least 1.
    ///   - pixels: `width * height * 3` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "a picture needs at least one pixel")
        precondition(
            pixels.count == width * height * 3,
            "\(pixels.count) bytes are not \(width) by \(height) RGB pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture of one colour.
    public init(width: Int, height: Int, red: UInt8, green: UInt8, blue: UInt8) {
        precondition(width > 0 && height > 0, "a picture needs at least one pixel")
        let count = width * height * 3
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for at in stride(from: 0, to: count, by: 3) {
                buffer[at] = red
                buffer[at + 1] = green
                buffer[at + 2] = blue
            }
            initialized = count
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// Red, green and blue of the pixel in column `x` and row `y`.
    public subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
        let at = (y * width + x) * 3
        return (pixels[at], pixels[at + 1], pixels[at + 2])
    }

    /// The part that begins at column `x` and row `y`; all of it has to lie inside.
    public func cropped(x: Int, y: Int, width newWidth: Int, height newHeight: Int) -> Picture {
        precondition(
            x >= 0 && y >= 0 && newWidth > 0 && newHeight > 0 && x + newWidth <= width
                && y + newHeight <= height,
            "the part lies outside of the picture")
        var part: [UInt8] = []
        part.reserveCapacity(newWidth * newHeight * 3)
        for row in y..<(y + newHeight) {
            let begin = (row * width + x) * 3
            part.append(contentsOf: pixels[begin..<(begin + newWidth * 3)])
        }
        return Picture(width: newWidth, height: newHeight, pixels: part)
    }

    /// The picture laid on a white ground of another size, its corner at column `x` and row `y`.
    func onWhite(x: Int, y: Int, width newWidth: Int, height newHeight: Int) -> Picture {
        var ground = Picture(width: newWidth, height: newHeight, red: 255, green: 255, blue: 255)
        let columns = min(width, newWidth - x)
        for row in 0..<max(0, min(height, newHeight - y)) where columns > 0 {
            let from = row * width * 3
            let to = ((row + y) * newWidth + x) * 3
            ground.pixels.replaceSubrange(
                to..<(to + columns * 3), with: pixels[from..<(from + columns * 3)])
        }
        return ground
    }

    /// The picture as its EXIF orientation wants it shown.
    ///
    /// Source: EXIF 2.32, tag 0x0112: 1 upright, 2 mirrored, 3 turned by 180 degrees, 4 upside
    /// down, 5 transposed, 6 turned clockwise, 7 transposed across, 8 turned counterclockwise.
    /// Every other value means upright.
    public func oriented(_ orientation: Int) -> Picture {
        guard (2...8).contains(orientation) else { return self }
        let isSideways = orientation >= 5
        let newWidth = isSideways ? height : width
        let newHeight = isSideways ? width : height
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { out, initialized in
            pixels.withUnsafeBufferPointer { source in
                var at = 0
                for y in 0..<newHeight {
                    for x in 0..<newWidth {
                        let from = sourceIndex(x, y, orientation) * 3
                        out[at] = source[from]
                        out[at + 1] = source[from + 1]
                        out[at + 2] = source[from + 2]
                        at += 3
                    }
                }
            }
            initialized = pixels.count
        }
        return Picture(width: newWidth, height: newHeight, pixels: turned)
    }

    /// Which pixel of this picture comes to column `x` and row `y` of the oriented one.
    private func sourceIndex(_ x: Int, _ y: Int, _ orientation: Int) -> Int {
        let right = width - 1
        let bottom = height - 1
        return switch orientation {
        case 2: y * width + right - x
        case 3: (bottom - y) * width + right - x
        case 4: (bottom - y) * width + x
        case 5: x * width + y
        case 6: (bottom - x) * width + y
        case 7: (bottom - x) * width + right - y
        default: x * width + right - y
        }
    }
}
