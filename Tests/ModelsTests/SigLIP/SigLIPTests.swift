import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite("SigLIP vision encoder")
struct SigLIPTests {
    static let cases = [
        "down", "same", "same_height", "same_width", "tall", "tiny", "up", "wide",
    ]

    @Test("Hidden states are the reference's, with and without prefix", arguments: cases)
    func golden(_ name: String) throws {
        let tensors = try Fixtures.tensors("siglip/\(name).safetensors")
        let pixels = try EncoderFolders.part("out.pixel_values", tensors)
        try expectClose(
            EncoderFolders.siglip("siglip/plain/image_encoder")(pixels),
            EncoderFolders.part("out.last_hidden_state", tensors), name)
        let wanted = try EncoderFolders.part("rounded.last_hidden_state_f16_weights", tensors)
        let folder = "siglip/prefixed_f16/image_encoder"
        try expectClose(EncoderFolders.siglip(folder)(pixels), wanted, "\(name), f16 weights")
        try expectClose(
            EncoderFolders.siglip(folder, dtype: nil)(pixels), wanted,
            "\(name), f16 weights cast at each use")
    }

    @Test("Hidden states of the provided case are the reference's")
    func provided() throws {
        let tensors = try Fixtures.tensors("goldens/siglip/down.safetensors")
        let pixels = try EncoderFolders.part("out.pixel_values", tensors)
        let encoder = try EncoderFolders.siglip("goldens/siglip/image_encoder")
        let wanted = try EncoderFolders.part("out.last_hidden_state", tensors)
        try expectClose(encoder(pixels), wanted, "down")
        let pair = try encoder(Tensor.cat([pixels, -pixels], axis: 0))
        try expectClose(pair.narrow(0, 0, 1), wanted, "down, in a batch of two")
    }

    @Test("8-bit levels become the reference's pixel values", arguments: cases)
    func pixelValues(_ name: String) throws {
        let config = try CheckpointFolder.json(
            SigLIPPreprocessorConfig.self, "preprocessor_config.json",
            in: Fixtures.url("siglip/plain/feature_extractor"))
        let tensors = try Fixtures.tensors("siglip/\(name).safetensors")
        let levels = try EncoderFolders.part("stage.levels", tensors).permute(0, 2, 3, 1)
        let wanted = try EncoderFolders.part("out.pixel_values", tensors)
        let values = try config.pixelValues(levels)
        try expectClose(values, wanted, absolute: 2e-7, relative: 0, "\(name) pixel_values")
        try expectClose(config.pixelValues(levels.select(0, 0)), values, "one picture")
    }

    @Test("The preprocessing of the provided folder is read")
    func preprocessor() throws {
        let config = try CheckpointFolder.json(
            SigLIPPreprocessorConfig.self, "preprocessor_config.json",
            in: Fixtures.url("goldens/siglip/feature_extractor"))
        #expect(config.height == 48 && config.width == 48 && config.filter == .bicubic)
        let data = try JSONEncoder().encode(config)
        #expect(try JSONDecoder().decode(SigLIPPreprocessorConfig.self, from: data) == config)
    }

    @Test(
        "What can't be is named",
        arguments: [
            (#"{"size": {"shortest_edge": 20}}"#, "height"),
            (#"{"size": {"height": 0, "width": 3}}"#, "0 by 3"),
            (#"{"resample": 9}"#, "resample is 9"), (#"{"image_std": [1, 0, 1]}"#, "image_std"),
        ])
    func preprocessorErrors(_ json: String, _ part: String) throws {
        let message = EncoderFolders.message {
            _ = try JSONDecoder().decode(SigLIPPreprocessorConfig.self, from: Data(json.utf8))
        }
        #expect(message.contains(part), "\(message)")
    }

    @Test("The released configuration calls for exactly the released names and shapes")
    func releasedShapes() throws {
        let config = try CheckpointFolder.json(
            SigLIPVisionConfig.self, in: Fixtures.url("released/image_encoder"))
        #expect(config.patchCount == 729)
        let wanted = try EncoderFolders.expectedShapes("released/image_encoder")
        #expect(try SigLIPVisionEncoder.publishedShapes(config) == wanted)
        let ignored = SigLIPVisionEncoder.ignoredKeys(config)
        #expect(wanted.keys.filter(ignored).count == 11)
    }

    @Test("A configuration survives writing and reading")
    func roundTrip() throws {
        var config = SigLIPVisionConfig()
        (config.hiddenSize, config.headCount, config.imageSize) = (48, 6, 64)
        (config.patchSize, config.hasHead, config.normEpsilon) = (16, false, 1e-5)
        let data = try JSONEncoder().encode(config)
        #expect(try JSONDecoder().decode(SigLIPVisionConfig.self, from: data) == config)
    }

    @Test("Wrong pictures are errors that name them")
    func wrongInput() throws {
        let encoder = try EncoderFolders.siglip("siglip/plain/image_encoder")
        func message(_ pixels: Tensor) -> String {
            EncoderFolders.message { _ = try encoder(pixels) }
        }
        #expect(message(try .zeros([1, 3, 56, 55])).contains("pixel_values has the shape"))
        #expect(message(try .zeros([3, 56, 56])).contains("(batch, 3, 56, 56)"))
        #expect(message(try .zeros([0, 3, 56, 56])).contains("pixel_values has the shape"))
        let bytes = message(try .zeros([1, 3, 56, 56], dtype: .uint8))
        #expect(bytes.contains("pixel_values is uint8"), "\(bytes)")
        let levels = EncoderFolders.message {
            _ = try SigLIPPreprocessorConfig().pixelValues(.zeros([10, 10, 3], dtype: .uint8))
        }
        #expect(levels.contains("(224, 224, 3)"), "\(levels)")
    }

    @Test("Gradients reach every weight through bfloat16 arithmetic")
    func gradientsFlow() throws {
        var config = SigLIPVisionConfig()
        (config.hiddenSize, config.headCount, config.intermediateSize) = (16, 2, 24)
        (config.layerCount, config.imageSize, config.patchSize) = (2, 16, 8)
        let weights = Weights(try RandomWeights(seed: 3))
        let encoder = try SigLIPVisionEncoder(config, weights)
        try weights.store.setRequiresGradient(true)
        let pixels = try Tensor.randn([2, 3, 16, 16], generator: Generator(seed: 2))
        let states = try encoder(pixels, dtype: .bfloat16)
        #expect(states.dtype == .bfloat16 && states.shape == [2, 4, 16])
        // A norm's sum of squares hardly depends on what comes in; a cubic does.
        try states.to(.float32).pow(3).sum().backward()
        for parameter in weights.store.parameters where !parameter.name.hasSuffix("k_proj.bias") {
            let gradient = try #require(try parameter.value.gradient(), "\(parameter.name)")
            #expect(try gradient.abs().max().item() > 0, "\(parameter.name)")
            #expect(try gradient.isFinite().all().item() == 1, "\(parameter.name)")
        }
    }
}
