import Foundation
import Media
import Torch

/// Under which keys the embeddings of a run are kept.
///
/// A key is a checksum of the prompt or the picture at the video's size, of the files of the
/// networks and tokenizers that read it (the template's crop follows from them and from the model's
/// settings), of the number types, and of what computes: libtorch's version, the kind of device, the
/// kernels, and on a CPU their instructions.
struct EmbeddingKeys {
    /// Changes whenever other numbers come of the same files.
    private static let version = "1"

    private let text, vision, vae: String
    private let precision: Precision
    private let place: String

    /// Reads what tells a model's encoders from others.
    ///
    /// - Throws: `FramePackError.model` for a part that is missing.
    init(_ model: ModelFolder, _ precision: Precision, on device: Device) throws {
        text = try model.fingerprint(of: [.textEncoder, .textEncoder2, .tokenizer, .tokenizer2])
        vision = try model.fingerprint(of: [.imageEncoder, .featureExtractor])
        vae = try model.fingerprint(of: [.vae])
        self.precision = precision
        let own = device.kind == .cpu ? Kernels.instructions : "fused"
        let kernels = Kernels.current == .plain ? "plain" : own
        let products = Kernels.multipliesFP8 ? " fp8 products" : ""
        place = "\(TorchLibrary.version) \(device.kind) \(kernels)\(products)"
    }

    /// The key of a prompt's states and pooled text.
    func prompt(_ prompt: String) -> String {
        key("prompt", text, precision.encoders, Data(prompt.utf8))
    }

    /// The key of a picture's vision tokens.
    func vision(_ picture: Picture) -> String {
        key("vision", vision, precision.encoders, Self.content(picture))
    }

    /// The key of the moments of a picture's latent.
    func moments(_ picture: Picture) -> String {
        key("moments", vae, precision.vae, Self.content(picture))
    }

    /// The key of how well the VAE carries a picture.
    func quality(_ picture: Picture) -> String {
        key("quality", vae, precision.vae, Self.content(picture))
    }

    private func key(_ kind: String, _ networks: String, _ dtype: DType, _ content: Data) -> String
    {
        var sum = Fingerprint()
        for part in [Self.version, kind, networks, "\(dtype)", place] { sum.add(Data(part.utf8)) }
        sum.add(content)
        return "\(kind)-\(sum.text)"
    }

    private static func content(_ picture: Picture) -> Data {
        Data("\(picture.width)x\(picture.height) ".utf8) + Data(picture.pixels)
    }
}
