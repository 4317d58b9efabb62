/// The sizes that a model generates at, of about one area and many aspect ratios.
public struct Buckets: Equatable, Sendable {
    /// The sizes, by rising height.
    public let sizes: [FrameSize]

    /// The 14 sizes around 640 x 640 that the released checkpoints were trained for.
    ///
    /// Source: `bucket_options` in `diffusers_helper/bucket_tools.py`.
    public static let released = Buckets(
        sizes: [
            (416, 960), (448, 864), (480, 832), (512, 768), (544, 704), (576, 672), (608, 640),
            (640, 608), (672, 576), (704, 544), (768, 512), (832, 480), (864, 448), (960, 416),
        ].map { FrameSize(height: $0.0, width: $0.1) })

    /// The widest picture among generated buckets, width over height; the released table's is 2.31.
    static let largestAspect = 2.4

    /// Sizes of any other area: for each height the widest that does not exceed it, and the same
    /// turned by 90 degrees, up to an aspect ratio of 2.4; and always the largest square in it.
    ///
    /// - Parameters:
    ///   - area: Pixels of a frame at most, such as 128 * 128; at least `multiple` squared.
    ///   - multiple: What sides are multiples of: 16, or 32 for fewer and rounder sizes.
    public static func any(area: Int, multiple: Int = 32) -> Buckets {
        precondition(
            multiple > 0 && multiple % FrameSize.multiple == 0, "sides are multiples of 16")
        precondition(area >= multiple * multiple, "the area holds at least one square")
        let side = Int(Double(area).squareRoot()) / multiple * multiple
        var sizes: Set<FrameSize> = [FrameSize(height: side, width: side)]
        var height = multiple
        while height * height <= area {
            let width = area / height / multiple * multiple
            if Double(width) <= largestAspect * Double(height) {
                sizes.insert(FrameSize(height: height, width: width))
                sizes.insert(FrameSize(height: width, width: height))
            }
            height += multiple
        }
        return Buckets(sizes: sizes.sorted { ($0.height, $1.width) < ($1.height, $0.width) })
    }

    /// The sizes for a side length: the released table at 640, else those of its square.
    ///
    /// - Parameter resolution: The side of a square of the wanted area, in pixels.
    public static func resolution(_ resolution: Int) -> Buckets {
        if resolution == 640 { return released }
        let multiple = resolution >= 64 ? 32 : 16
        return any(area: resolution * resolution, multiple: multiple)
    }

    /// The size whose aspect ratio is nearest to a picture's; on a tie the later one.
    ///
    /// Nearest is the smallest `|height * bucket width - width * bucket height|`.
    ///
    /// Source: `find_nearest_bucket` in `diffusers_helper/bucket_tools.py`.
    public func nearest(to picture: FrameSize) -> FrameSize {
        func distance(_ size: FrameSize) -> Int {
            abs(picture.height * size.width - picture.width * size.height)
        }
        return sizes.reduce(sizes[0]) { distance($1) <= distance($0) ? $1 : $0 }
    }
}
