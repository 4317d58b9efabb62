/// In which order the sections of a video are generated.
///
/// Source: arXiv 2504.12626, section on drift prevention; `demo_gradio.py` and `demo_gradio_f1.py`
/// of lllyasviel/FramePack.
public enum SamplingOrder: String, Codable, Sendable, CaseIterable {
    /// Inverted anti-drifting: from the last section to the first, each seeing the start image and
    /// the sections after it.
    case inverted
    /// Forward, as the released F1 model: from the first section to the last, each seeing the start
    /// image and what came before it.
    case f1
    /// Forward, each section seeing only what came before it.
    case vanilla
    /// Anti-drifting: the beginning and the end together, then what lies between, each section
    /// seeing what came before it and the nearest latents of the end.
    case antiDrifting = "anti-drifting"
    /// Planned anti-drifting: sections at planned places of the video, each with the prompt of its
    /// time, then what lies between them.
    case planned

    /// Whether frames are finished from the beginning of the video to its end.
    public var finishesForward: Bool { self != .inverted }

    /// Whether a section may see latents that come after it.
    public var seesLater: Bool { self != .f1 && self != .vanilla }
}

/// What the start latent of a video is made from.
public enum StartSource: String, Codable, Sendable, CaseIterable {
    /// The user's image; it is frame 1 of the video.
    case image
    /// A plain picture, where only a text is given; its frame is cut from the video.
    case plain
}
