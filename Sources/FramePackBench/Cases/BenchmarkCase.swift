public import Torch

/// What is measured.
public enum BenchmarkCase: String, CaseIterable, Codable, Sendable {
    /// One pass of a transformer of some 300 million parameters with a full history.
    case transformer300M = "transformer-300m"
    /// A double-stream and a single-stream block of the released width, 4,000 tokens.
    case block4000 = "block-4000"
    /// The same blocks at 18,300 tokens, as many as a section of 608 x 640 has.
    case block18300 = "block-18300"
    /// Decoding of a section of 128 x 128 pixels by a VAE of the released widths.
    case vae16 = "vae-16"
    /// Decoding of a section of 256 x 256 pixels by a VAE of the released widths.
    case vae32 = "vae-32"
    /// Decoding of a window of 608 x 640 pixels by a VAE of the released widths.
    case vae608 = "vae-608x640"
    /// Decoding of a window of 1280 x 720 pixels by a VAE of the released widths.
    case vae1280 = "vae-1280x720"
    /// A prompt through Llama's layers and CLIP, a picture through SigLIP.
    case textEncoders = "text-encoders"
    /// From the start of a process until every weight of `transformer-300m` was read.
    case load
    /// A whole section on the small model that ships with the program.
    case section
    /// One pass of the released transformer on a GPU, 608 x 640, with random weights.
    case released
    /// One pass of the released transformer, 256 x 256, its weights in a file of 25.7 GB.
    case released256 = "released-256"
    /// One pass of the released transformer, 608 x 640, whose weights come from that file as they are
    /// used.
    case releasedStreamed = "released-streamed"

    /// The cases that a device can run, those left out that take a CPU many minutes.
    public static func all(on device: Device) -> [BenchmarkCase] {
        allCases.filter {
            $0.refusal(on: device) == nil && (device.kind != .cpu || !$0.isLong)
        }
    }

    /// Whether a run takes a CPU minutes.
    private var isLong: Bool {
        [.vae608, .vae1280, .released256, .releasedStreamed].contains(self)
    }

    /// Why a device cannot run the case, as a sentence; nil if it can.
    public func refusal(on device: Device) -> String? {
        guard self == .released, device.kind != .cuda else { return nil }
        return """
            The case released needs a GPU, and the device is \(device): the released transformer \
            has 12.9 billion parameters, 25.7 GB; name a GPU with --device cuda, or measure \
            block-18300 or released-256 instead.
            """
    }

    /// What the case is, for a report.
    package var title: String {
        switch self {
        case .transformer300M:
            "transformer of 4 double and 8 single blocks, 8 heads of 128, 9x30x52 latents, "
                + "full history"
        case .block4000: "one double and one single block of the released width, 4,000 tokens"
        case .block18300: "one double and one single block of the released width, 18,300 tokens"
        case .vae16: "VAE of the released widths, 9x16x16 latents, the reference's windows"
        case .vae32: "VAE of the released widths, 9x32x32 latents, the reference's windows"
        case .vae608: "VAE of the released widths, a window of 5x76x80 latents"
        case .vae1280: "VAE of the released widths, a window of 5x90x160 latents"
        case .textEncoders:
            "Llama's width with 4 of 32 layers and 32,000 of 128,320 words, CLIP-L, SigLIP so400m"
        case .load: "start of the process to every weight of transformer-300m read"
        case .section:
            "a section of 36 frames on the small model; ours loads the model and writes an mp4, "
                + "the peer does neither"
        case .released: "the released transformer, 608 x 640, full history, weights at random"
        case .released256:
            "the released transformer, 256 x 256, full history, random weights of a mapped file"
        case .releasedStreamed:
            "the released transformer, 608 x 640, full history, random weights streamed from a file "
                + "while they are used, modulations kept; the peer's are loaded"
        }
    }

    /// Which folder of weights the case reads; nil where it makes them itself.
    package var modelName: String? {
        switch self {
        case .transformer300M, .load: "transformer-300m"
        case .block4000, .block18300: "block"
        case .vae16, .vae32, .vae608, .vae1280: "vae"
        case .textEncoders: "text-encoders"
        case .released256, .releasedStreamed: "released"
        case .section, .released: nil
        }
    }

    /// Whether each measurement is one of a new process.
    package var startsAnew: Bool { self == .load }

    /// Whether both sides compute the same numbers, which can be held against each other.
    package var comparesOutputs: Bool {
        switch self {
        case .load, .section, .released: false
        default: true
        }
    }

    /// The distance between the lowest and the highest value of the output, where it is a picture.
    package var pictureRange: Double? { modelName == "vae" ? 2 : nil }
}
