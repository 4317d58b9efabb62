import Checkpoints
package import Foundation
package import Models
import TorchNN

extension ModelFolder {
    /// A number that changes with the content of any file of the model: by it a job knows its model
    /// again.
    ///
    /// Weights of more than four megabytes are sampled: their size, their ends, and a piece of every
    /// 256th of them, so that it takes a moment for the largest model too.
    ///
    /// - Throws: `FramePackError.model` for a part that is missing.
    public func fingerprint() throws -> String { try fingerprint(of: ModelPart.allCases) }

    /// A number that changes with the content of any file of some parts, or with the settings.
    package func fingerprint(of parts: [ModelPart]) throws -> String {
        var sum = Fingerprint()
        for part in parts {
            let folder = try folder(of: part)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            for name in names where !name.hasPrefix(".") {
                let file = folder.appendingPathComponent(name)
                let attributes = try FileManager.default.attributesOfItem(
                    atPath: file.resolvingSymlinksInPath().path)
                guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
                sum.add(Data("\(part.rawValue)/\(name)".utf8))
                sum.add(sampling: try Data(contentsOf: file, options: .alwaysMapped))
            }
        }
        // What MagCache knows of a model is measured later, and changes nothing that it makes
        // otherwise; a job that uses it notes it by itself.
        var settings = settings
        settings.magnitudeRatios = nil
        sum.add(try JSONEncoder.sorted.encode(settings))
        return sum.text
    }

    /// The model's sizes, from its configurations alone; nil where they cannot be read.
    public var size: ModelSize? {
        guard
            let transformer = try? TransformerConfig(folder: folder(of: .transformer)),
            let vae = try? CheckpointFolder.json(VAEConfig.self, in: folder(of: .vae)),
            let llama = try? CheckpointFolder.json(LlamaConfig.self, in: folder(of: .textEncoder)),
            let clip = try? CheckpointFolder.json(
                CLIPTextConfig.self, in: folder(of: .textEncoder2)),
            let vision = try? CheckpointFolder.json(
                SigLIPVisionConfig.self, in: folder(of: .imageEncoder)),
            let vaeWeights = try? Self.counts({ _ = try VAE(vae, $0) }),
            let llamaWeights = try? Self.counts({ _ = try LlamaTextEncoder(llama, $0) }),
            let clipWeights = try? Self.counts({ _ = try CLIPTextEncoder(clip, $0) }),
            let visionWeights = try? Self.counts({ _ = try SigLIPVisionEncoder(vision, $0) })
        else { return nil }
        var size = ModelSize()
        size.transformer = TransformerSize(transformer)
        size.vaeParameters = vaeWeights.all
        size.vaeChannels = vae.blockOutChannels[0]
        size.vaeUpsampledChannels = vae.blockOutChannels[min(1, vae.blockOutChannels.count - 1)]
        size.textEncoderParameters = llamaWeights.all + clipWeights.all
        size.visionEncoderParameters = visionWeights.all
        size.encoderLargestWeight =
            [llamaWeights, clipWeights, visionWeights].map(\.largest).max() ?? 0
        size.visionTokens = vision.patchCount
        return size
    }

    /// The numbers of all weights of a network, and of the largest linear layer's.
    private static func counts(_ build: (Weights) throws -> Void) throws -> (all: Int, largest: Int)
    {
        let weights = Weights(ShapesOnly())
        try build(weights)
        let linears = weights.linears.map { $0.layer.inputSize * $0.layer.outputSize }
        return (weights.store.elementCount, linears.max() ?? 0)
    }
}

extension TransformerSize {
    /// The sizes of a configuration.
    package init(_ config: TransformerConfig) {
        self.init()
        (hiddenSize, headSize) = (config.hiddenSize, config.headSize)
        (doubleBlocks, singleBlocks) = (config.doubleBlockCount, config.singleBlockCount)
        refinerBlocks = config.refinerBlockCount
        (textSize, pooledSize) = (config.textSize, config.pooledSize)
        (visionSize, latentChannels) = (config.imageSize, config.inputChannels)
    }
}

/// A 64-bit checksum (FNV-1a) of pieces of data and their borders.
package struct Fingerprint {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Begins without any data.
    package init() {}

    /// Adds a piece.
    package mutating func add(_ data: Data) {
        data.withUnsafeBytes { $0.forEach { step($0) } }
        withUnsafeBytes(of: UInt64(data.count).littleEndian) { $0.forEach { step($0) } }
    }

    /// Adds data, or samples of them where they are large.
    package mutating func add(sampling data: Data) {
        let (whole, piece, count) = (4 << 20, 4096, 256)
        guard data.count > whole else { return add(data) }
        add(Data("\(data.count)".utf8))
        for number in 0...count {
            let start = (data.count - piece) / count * number
            add(data[data.startIndex + start..<data.startIndex + start + piece])
        }
        add(data.suffix(piece))
    }

    private mutating func step(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    /// The sum as 16 hexadecimal digits.
    package var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension JSONEncoder {
    /// Keys in alphabetical order, for people and for checksums.
    package static var sorted: JSONEncoder {
        let encoder = line
        encoder.outputFormatting.insert(.prettyPrinted)
        return encoder
    }

    /// Keys in alphabetical order, all in one line.
    package static var line: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
