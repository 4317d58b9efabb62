import FramePack

/// The keys of a dataset file that are read.
struct DatasetKeys: Decodable {
    var resolution: DatasetResolution?
    var captionExtension: String?
    var enableBucket: Bool?
    var bucketNoUpscale: Bool?
    var repeats: Int?
    var videoDirectory: String?
    var videoList: String?
    var imageDirectory: String?
    var imageList: String?
    var cacheDirectory: String?
    var targetFrames: IntegerList?
    var frameExtraction: Choice<FrameExtraction>?
    var frameStride: Int?
    var frameSample: Int?
    var maxFrames: Int?
    var sourceFPS: Double?
    var window: Int?
    var controlDirectory: String?
    var oneFrameTarget: Int?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case resolution
        case captionExtension = "caption_extension"
        case enableBucket = "enable_bucket"
        case bucketNoUpscale = "bucket_no_upscale"
        case repeats = "num_repeats"
        case videoDirectory = "video_directory"
        case videoList = "video_jsonl_file"
        case imageDirectory = "image_directory"
        case imageList = "image_jsonl_file"
        case cacheDirectory = "cache_directory"
        case targetFrames = "target_frames"
        case frameExtraction = "frame_extraction"
        case frameStride = "frame_stride"
        case frameSample = "frame_sample"
        case maxFrames = "max_frames"
        case sourceFPS = "source_fps"
        case window = "fp_latent_window_size"
        case controlDirectory = "control_directory"
        case oneFrameTarget = "fp_1f_target_index"
    }

    /// Every key that is read in a `[[datasets]]`.
    static let known = CodingKeys.allCases.map(\.rawValue)
    /// Every key that is read in `[general]`.
    static let general = known.filter { !$0.hasSuffix("_directory") && !$0.hasSuffix("_file") }

    /// Keys of musubi-tuner that mean nothing here, and why.
    static let unused: [String: String] = {
        let pictures = "a picture has one control picture, at index 0, and a context of zeros"
        let others = "it belongs to another model"
        return [
            "batch_size": "the run's configuration has batch",
            "control_resolution": pictures, "no_resize_control": pictures,
            "fp_1f_clean_indices": pictures, "fp_1f_no_post": pictures,
            "multiple_target": others, "flux_kontext_no_resize_control": others,
            "qwen_image_edit_no_resize_control": others,
            "qwen_image_edit_control_resolution": others,
        ]
    }()

    /// Checks the values.
    ///
    /// - Throws: `SettingProblem` for the first that cannot be.
    func check() throws {
        let table = SettingChecker(nil)
        let side = FrameSize.multiple...GenerationRequest.Limits.side.upperBound
        try table.check("resolution", resolution?.width, in: side)
        try table.check("resolution", resolution?.height, in: side)
        try table.check("num_repeats", repeats, in: 1...1_000_000)
        try table.check("target_frames", targetFrames?.values.min(), in: 1...1_000_000)
        try table.check("frame_stride", frameStride, in: 1...1_000_000)
        try table.check("frame_sample", frameSample, in: 1...1_000_000)
        try table.check("max_frames", maxFrames, in: 1...1_000_000)
        try table.check("source_fps", sourceFPS, in: 0.1...1000)
        try table.check("fp_1f_target_index", oneFrameTarget, in: 0...1000)
        try table.check(
            "fp_latent_window_size", window, in: GenerationRequest.Limits.window)
    }
}

/// Width and height, or the side of a square.
struct DatasetResolution: Decodable {
    /// In pixels.
    var width = 960, height = 544

    /// musubi-tuner's default.
    init() {}

    init(from decoder: any Decoder) throws {
        let numbers = try IntegerList(from: decoder).values
        guard (1...2).contains(numbers.count) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "it must be [width, height] or one number"))
        }
        (width, height) = (numbers[0], numbers[numbers.count - 1])
    }

    var size: FrameSize { FrameSize(height: height, width: width) }
}

/// Whole numbers, or one.
struct IntegerList: Decodable {
    let values: [Int]

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        do {
            values = [try single.decode(Int.self)]
        } catch DecodingError.typeMismatch {
            values = try single.decode([Int].self)
        }
    }
}
