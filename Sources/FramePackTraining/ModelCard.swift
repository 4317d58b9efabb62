import FramePack

/// The README of an exported model.
struct ModelCard {
    /// What `framepack.json` says.
    let settings: ModelSettings
    /// Steps of the transformer's training.
    let steps: Int
    /// Steps of the guidance's distillation; nil if there was none.
    let guidanceSteps: Int?
    /// What was measured; empty if nothing was.
    let evaluations: [EvaluationReport]

    /// The whole text, in Markdown.
    var text: String {
        """
        # \(settings.name ?? "Small model")

        A small FramePack model: the released architecture with fewer and narrower layers, trained \
        by this project on videos that it renders itself. It knows only \
        \(settings.world?.description ?? "its own world"), at \(settings.resolution ?? 0) by \
        \(settings.resolution ?? 0) pixels and \(settings.fps ?? 30) frames a second. It shows how \
        the method works and lets everything be tried without a download; it does not make videos \
        of anything else.

        ## Use

            framepack generate --model Models/\(settings.name ?? "NAME") --image picture.png \\
                --prompt "a red circle moves slowly to the right" --output video.mp4

        It makes every order, `--order f1` and `--order inverted` best, and takes packings of any \
        levels of the kernels k1 to k16 and of k1h2w4, k1h4w4, k1h4w8, k1h8w4 and k1h8w8, which were \
        never trained and go by means of latents. The folder has the layout of the released model, so other programs that read that layout can load \
        its parts.

        ## Training

        All parts were trained with `framepack train`, from fresh weights: the VAE on single pictures and \
        short clips; then the transformer, for \(counted(steps, "step")), together with its text and vision \
        encoders, with a packing and a sampling order drawn for each two samples. Captions and start pictures were each left \
        out in a tenth of the samples. \(guidance) The weights are averages over the last steps, \
        in bf16. A ninth of all combinations of colour, shape and motion was never trained.

        The upper two Llama layers and its last norm are not trained, since FramePack does not \
        read them; they are there for the sake of the layout.

        ## Measured

        \(measured)
        """ + "\n"
    }

    private var guidance: String {
        guard let guidanceSteps else {
            return "The guidance input was held at 1; use `--cfg` for stronger guidance."
        }
        return
            "Then \(counted(guidanceSteps, "step")) taught the guidance input to do in one pass what true "
            + "guidance does in two."
    }

    private var measured: String {
        evaluations.isEmpty
            ? "Not yet; run `framepack eval`."
            : evaluations.map(\.markdown).joined(separator: "\n\n")
    }
}
