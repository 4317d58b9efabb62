/// What can be measured of a video, frame by frame.
public enum Metric: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    /// The variance of luma's Laplacian: how much fine detail there is.
    case sharpness
    /// The mean luma.
    case brightness
    /// The deviation of luma.
    case contrast
    /// The mean red, green and blue.
    case red, green, blue
    /// The mean saturation.
    case saturation
    /// How far the levels' histograms are from those of the first frame.
    case histogram
    /// The mean absolute difference from the frame before.
    case change
    /// How far places jump in brightness and back.
    case flicker
    /// The mean length of the optical flow from the frame before.
    case motion
    /// The mean length of the change of that flow from one pair of frames to the next.
    case jitter
    /// The likeness to another video's frame, by its mean squared error.
    case psnr
    /// The likeness to another video's frame, by its structure.
    case ssim
    /// MUSIQ's technical quality.
    case clarity
    /// The LAION predictor's aesthetic quality.
    case aesthetic
    /// The mean length of the longest twentieth of RAFT's flow over an eighth of a second.
    case dynamic

    /// What its values count; empty for a plain number.
    public var unit: String {
        switch self {
        case .sharpness: "levels^2"
        case .brightness, .contrast, .red, .green, .blue, .histogram, .change, .flicker: "levels"
        case .motion: "px/frame"
        case .jitter: "px/frame^2"
        case .psnr: "dB"
        case .dynamic: "px"
        case .saturation, .ssim, .clarity, .aesthetic: ""
        }
    }

    /// The range of its values; the upper end is nil where there is none.
    public var range: (lower: Double, upper: Double?) {
        switch self {
        case .sharpness, .motion, .jitter, .dynamic, .psnr: (0, nil)
        case .brightness, .red, .green, .blue, .histogram, .change: (0, 255)
        case .flicker: (0, 255)
        case .contrast: (0, 127.5)
        case .saturation: (0, 1)
        case .ssim: (-1, 1)
        case .clarity: (0, 100)
        case .aesthetic: (0, 10)
        }
    }
}
