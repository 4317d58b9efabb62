import Foundation
import FramePackMetrics

/// Frames whose measures are known.
enum Patterns {
    /// A frame of one grey.
    static func grey(_ level: UInt8, width: Int = 16, height: Int = 12) -> Frame {
        Frame(
            width: width, height: height,
            pixels: [UInt8](repeating: level, count: 3 * width * height))
    }

    /// A smooth texture, moved right by `x` and down by `y` pixels.
    static func waves(_ x: Double = 0, _ y: Double = 0, width: Int = 64, height: Int = 48) -> Frame
    {
        var values: [Float] = []
        for row in 0..<height {
            for column in 0..<width {
                let (across, down) = (Double(column) - x, Double(row) - y)
                let wave =
                    sin(across * 0.31) * cos(down * 0.27) + 0.6 * sin(across * 0.13 + down * 0.19)
                    + 0.5 * cos(across * 0.17 - down * 0.11)
                values += [Float](repeating: Float(0.5 + 0.2 * wave), count: 3)
            }
        }
        return Frame(width: width, height: height, values: values)
    }

    /// A frame whose every pixel is the mean of its three by three neighbours.
    static func blurred(_ frame: Frame) -> Frame {
        var pixels = frame.pixels
        for y in 0..<frame.height {
            for x in 0..<frame.width {
                for channel in 0..<3 {
                    var (sum, count) = (0, 0)
                    for row in max(y - 1, 0)...min(y + 1, frame.height - 1) {
                        for column in max(x - 1, 0)...min(x + 1, frame.width - 1) {
                            sum += Int(frame.pixels[3 * (row * frame.width + column) + channel])
                            count += 1
                        }
                    }
                    pixels[3 * (y * frame.width + x) + channel] = UInt8(sum / count)
                }
            }
        }
        return Frame(width: frame.width, height: frame.height, pixels: pixels)
    }
}
