public import Torch

/// How a picture is made smaller or larger; raw values are those of PIL's filters.
public enum PictureFilter: Int, Sendable, Codable {
    /// The nearest pixel.
    case nearest = 0
    /// A windowed sine over three pixels to each side.
    case lanczos = 1
    /// A triangle over one pixel to each side.
    case bilinear = 2
    /// A cubic over two pixels to each side.
    case bicubic = 3
    /// The mean of the covered pixels.
    case box = 4
    /// A windowed sine over one pixel to each side.
    case hamming = 5
}

/// How a picture becomes a vision encoder's input, as in `preprocessor_config.json`.
///
/// Source: transformers `SiglipImageProcessor`.
public struct SigLIPPreprocessorConfig: Sendable, Equatable {
    /// The height of the resized picture in pixels.
    public var height = 224
    /// The width of the resized picture in pixels.
    public var width = 224
    /// The filter of the resizing.
    public var filter = PictureFilter.bicubic
    /// The factor of the 8-bit values; 1 if they are not rescaled.
    public var rescaleFactor = 1.0 / 255
    /// What is taken from each rescaled channel; zeros if nothing is normalised.
    public var mean = [0.5, 0.5, 0.5]
    /// What each channel is divided by then; ones if nothing is normalised.
    public var standardDeviation = [0.5, 0.5, 0.5]

    /// The defaults of transformers, to be changed field by field.
    public init() {}

    /// Turns 8-bit levels of pictures that have their size already into numbers.
    ///
    /// - Parameter levels: uint8 `(H, W, 3)` for one picture or `(B, H, W, 3)`.
    /// - Returns: float32 `(B, 3, H, W)`, in [-1, 1] as released.
    /// - Throws: `ModelError` that names the shape found and the one wanted.
    public func pixelValues(_ levels: Tensor) throws -> Tensor {
        guard levels.dtype == .uint8, levels.rank == 3 || levels.rank == 4,
            Array(levels.shape.suffix(3)) == [height, width, 3]
        else {
            throw ModelError(
                """
                the picture is \(levels); wanted is uint8 of the shape (\(height), \(width), 3), \
                so resize it first
                """)
        }
        let batch = levels.rank == 3 ? try levels.unsqueeze(0) : levels
        let channels = try batch.permute(0, 3, 1, 2).to(.float32) * rescaleFactor
        let (offset, divisor) = (
            try Tensor(mean, [3, 1, 1]).to(levels.device, .float32),
            try Tensor(standardDeviation, [3, 1, 1]).to(levels.device, .float32)
        )
        return try ((channels - offset) / divisor).contiguous()
    }
}

extension SigLIPPreprocessorConfig: Codable {
    enum CodingKeys: String, CodingKey {
        case type = "image_processor_type"
        case doResize = "do_resize"
        case doRescale = "do_rescale"
        case doNormalize = "do_normalize"
        case size
        case filter = "resample"
        case rescaleFactor = "rescale_factor"
        case mean = "image_mean"
        case standardDeviation = "image_std"
    }

    /// The table `size`.
    struct Size: Codable {
        let height: Int
        let width: Int
    }

    /// Reads a `preprocessor_config.json`.
    ///
    /// - Throws: `DecodingError` that names a value that can't be.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        let size = try keys.value(.size, or: Size(height: height, width: width))
        (height, width) = (size.height, size.width)
        let number = try keys.value(.filter, or: filter.rawValue)
        let named = PictureFilter(rawValue: number)
        filter = named ?? filter
        rescaleFactor =
            try keys.value(.doRescale, or: true) ? keys.value(.rescaleFactor, or: rescaleFactor) : 1
        let normalizes = try keys.value(.doNormalize, or: true)
        mean = normalizes ? try keys.value(.mean, or: mean) : [0, 0, 0]
        standardDeviation =
            normalizes ? try keys.value(.standardDeviation, or: standardDeviation) : [1, 1, 1]
        try keys.check(
            named == nil ? "resample is \(number); PIL's filters are 0 to 5" : problem)
    }

    /// Writes the keys of a `preprocessor_config.json` that transformers reads too.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode("SiglipImageProcessor", forKey: .type)
        try keys.encode(true, forKey: .doResize)
        try keys.encode(true, forKey: .doRescale)
        try keys.encode(true, forKey: .doNormalize)
        try keys.encode(Size(height: height, width: width), forKey: .size)
        try keys.encode(filter, forKey: .filter)
        try keys.encode(rescaleFactor, forKey: .rescaleFactor)
        try keys.encode(mean, forKey: .mean)
        try keys.encode(standardDeviation, forKey: .standardDeviation)
    }

    private var problem: String? {
        guard (1...4096).contains(height), (1...4096).contains(width) else {
            return "size is \(height) by \(width) pixels; each must be in 1...4096"
        }
        guard mean.count == 3, standardDeviation.count == 3,
            standardDeviation.allSatisfy({ $0 > 0 })
        else { return "image_mean and image_std must hold 3 numbers each, and image_std > 0" }
        return nil
    }
}
