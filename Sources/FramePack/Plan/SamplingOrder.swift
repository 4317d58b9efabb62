/// In which order the sections of a video are generated.
///
/// Source: arXiv 2504.12626, section on drift prevention; `demo_gradio.py` and `demo_gradio_f1.py`
/// of lllyasviel/FramePack.
public enum SamplingOrder: String, Codable, Sendable, CaseIterable {
    /// Inverted anti-drifting: from the last section to the first, each seeing the start image and
    /// the sections after it.
    case inverted
    /// Forward: from the first section to the last, each seeing the start image and what came
    /// before it.
    case f1
}

/// What the start latent of a video is made from.
public enum StartSource: String, Codable, Sendable, CaseIterable {
    /// The user's image; it is frame 1 of the video.
    case image
    /// A plain picture, where only a text is given; its frame is cut from the video.
    case plain
}
