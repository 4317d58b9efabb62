import Foundation
import Media
import Models
import Torch

/// What all sections of a run see beside their history.
struct Conditions {
    let prompts: [EncodedPrompt]
    let negative: EncodedPrompt?
    /// `(1, I, C)`.
    let vision: Tensor
    /// `(1, 16, 1, h, w)`.
    let start: Tensor
    /// `(1, 16, 1, h, w)`.
    let end: Tensor?
}

extension GenerationRun {
    static let embeddingsFile = "embeddings.safetensors"
    static let startFile = "start.safetensors"

    /// Finds or makes everything that does not depend on sections.
    func conditions() throws -> Conditions {
        let texts = try textTensors()
        let pictures = try pictureTensors()
        let prompts = try plan.prompts.indices.map { try prompt("prompt.\($0)", texts) }
        let negative =
            request.guidanceSettings.needsNegative ? try prompt("negative", texts) : nil
        return Conditions(
            prompts: prompts, negative: negative,
            vision: try tensor("vision", pictures, Self.startFile),
            start: try tensor("start", pictures, Self.startFile), end: pictures["end"])
    }

    private func textTensors() throws -> [String: Tensor] {
        if let found = try job.tensors(Self.embeddingsFile) { return found }
        try begin(.encodeText, "Encoding the prompt")
        var tensors: [String: Tensor] = [:]
        func add(_ text: String, _ name: String) throws {
            try token.check()
            for (part, tensor) in try promptTensors(text) { tensors["\(name).\(part)"] = tensor }
        }
        for (number, prompt) in plan.prompts.enumerated() {
            try add(prompt.text, "prompt.\(number)")
        }
        if request.guidanceSettings.needsNegative { try add(request.negativePrompt, "negative") }
        try job.write(tensors, Self.embeddingsFile)
        return tensors
    }

    /// A prompt's states without padding and its pooled text, `embeds` and `pooled`.
    private func promptTensors(_ text: String) throws -> [String: Tensor] {
        try kept({ $0.prompt(text) }) {
            let encoded = try library.promptEncoder(parity: request.parity)(text)
            return [
                "embeds": try encoded.embeds.narrow(1, 0, encoded.length).contiguous(),
                "pooled": encoded.pooled,
            ]
        }
    }

    private func prompt(_ name: String, _ tensors: [String: Tensor]) throws -> EncodedPrompt {
        let embeds = try tensor("\(name).embeds", tensors, Self.embeddingsFile)
        return EncodedPrompt(
            embeds: embeds, length: embeds.dim(1),
            pooled: try tensor("\(name).pooled", tensors, Self.embeddingsFile))
    }

    private func pictureTensors() throws -> [String: Tensor] {
        if let found = try job.tensors(Self.startFile) { return found }
        try begin(.encodeImage, "Encoding the picture")
        let picture = try Picture(contentsOf: job.file("start.png"))
        var tensors = try visionTensors(picture)
        try token.check()
        tensors["start"] = try latent(picture)
        try noteWorld(picture)
        if plan.hasEndImage {
            tensors["end"] = try latent(Picture(contentsOf: job.file("end.png")))
        }
        try job.write(tensors, Self.startFile)
        return tensors
    }

    /// A picture's vision tokens, `vision`.
    private func visionTensors(_ picture: Picture) throws -> [String: Tensor] {
        try kept({ $0.vision(picture) }) {
            let tokens = try ImageEncoder.vision(
                picture, library.visionSettings(), library.visionEncoder(),
                dtype: library.precision.encoders
            ) { [token] in try token.check() }
            return ["vision": tokens]
        }
    }

    /// The latent of a picture, drawn with the next noise of pictures.
    private func latent(_ picture: Picture) throws -> Tensor {
        let moments = try kept({ $0.moments(picture) }) {
            let moments = try ImageEncoder.moments(
                picture, library.vae(), dtype: library.precision.vae, device: library.device
            ) { [token] in try token.check() }
            return ["mean": moments.mean, "logVariance": moments.logVariance]
        }
        guard let mean = moments["mean"], let logVariance = moments["logVariance"] else {
            throw FramePackError.job("The picture's moments are not whole; remove the cache.")
        }
        let distribution = LatentDistribution(
            mean: try mean.to(library.device), logVariance: try logVariance.to(library.device))
        return try ImageEncoder.latent(
            distribution, noise: noise.picture(), scale: library.vaeConfig().scalingFactor)
    }

    /// Tensors from the cache of embeddings, or made and kept there.
    private func kept(_ key: (EmbeddingKeys) -> String, _ make: () throws -> [String: Tensor])
        throws -> [String: Tensor]
    {
        guard let embeddings else { return try make() }
        return try embeddings.cache.tensors(key(embeddings.keys), make)
    }

    /// Tells of a start picture that a small model will hardly understand.
    private func noteWorld(_ picture: Picture) throws {
        // The check computes on the CPU alone, where small models run.
        guard request.image != nil, library.device.kind == .cpu, library.precision.vae == .float32
        else { return }
        let warning = try planned.model.settings.warning(picture: picture) {
            let quality = try kept({ $0.quality(picture) }) {
                ["quality": try Tensor([library.vae().pictureQuality(picture)])]
            }
            return try quality["quality"]?.item() ?? 0
        }
        if let warning { try emit(.note(warning)) }
    }

    private func tensor(_ name: String, _ tensors: [String: Tensor], _ file: String) throws
        -> Tensor
    {
        guard let tensor = tensors[name] else {
            throw FramePackError.job("\(job.file(file).path) lacks \(name); begin anew.")
        }
        return tensor
    }
}
