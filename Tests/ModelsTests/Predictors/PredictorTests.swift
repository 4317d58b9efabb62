import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// The predictors against their reference implementations, on weights that follow from their names.
@Suite struct PredictorTests {
    private let weights = Weights(FormulaWeights())
    private static let pictures = ["wide", "tall", "small"]

    private func picture(_ name: String, _ shape: [Int]) throws -> Tensor {
        try Tensor(Formula.levels(name, count: shape.reduce(1, *)), shape)
    }

    @Test("CLIP's embeddings and LAION's heads are those of transformers and torch")
    func clip() throws {
        try withoutGradients {
            let golden = try Fixtures.tensors("predictors/clip.safetensors")
            var config = CLIPVisionConfig()
            (config.hiddenSize, config.intermediateSize, config.layerCount) = (48, 80, 3)
            (config.headCount, config.imageSize, config.projectionSize) = (4, 42, 40)
            let encoder = try CLIPVisionEncoder(config, weights)
            var embeddings: [Tensor] = []
            for name in Self.pictures {
                let levels = try #require(golden["stage.levels.\(name)"]).unsqueeze(0)
                let pixels = try CLIPVisionEncoder.pixelValues(levels)
                try expectClose(
                    pixels.slice(2, from: 0, to: 42, step: 6).slice(3, from: 0, to: 42, step: 6),
                    #require(golden["stage.pixels.\(name)"]), absolute: 1e-6, "pixels \(name)")
                let embedding = try encoder(pixels)
                try expectClose(
                    embedding, #require(golden["out.embedding.\(name)"]), "embedding \(name)")
                embeddings.append(embedding)
            }
            let all = try Tensor.cat(embeddings, axis: 0)
            let linear = try AestheticHead(.linear, inputSize: 40, weights)
            try expectClose(linear(all), #require(golden["out.linear"]), "linear head")
            let layered = try AestheticHead(.layered, inputSize: 40, weights)
            try expectClose(layered(all), #require(golden["out.layered"]), "layered head")
        }
    }

    @Test("MUSIQ's patches, places and scores are those of pyiqa")
    func musiq() throws {
        try withoutGradients {
            let golden = try Fixtures.tensors("predictors/musiq.safetensors")
            var config = MUSIQConfig()
            (config.hiddenSize, config.intermediateSize, config.layerCount) = (48, 80, 3)
            let one = try MUSIQ(config, Weights(FormulaWeights()))
            config.classCount = 10
            let ten = try MUSIQ(config, Weights(FormulaWeights()))
            let sizes = ["wide": (90, 301), "tall": (400, 250), "small": (20, 33)]
            for name in Self.pictures {
                let (height, width) = try #require(sizes[name])
                let pixels =
                    try picture("musiq \(name)", [1, 3, height, width]).to(.float32) / 255
                let patches = try MUSIQPatches(pixels, config)
                let all = try patches.pixels.flatten()
                try expectClose(
                    all.slice(0, from: 0, to: all.count, step: 997),
                    #require(golden["stage.pixels.\(name)"]), "patches \(name)")
                #expect(
                    try patches.positions
                        == #require(golden["stage.positions.\(name)"]).array(Int64.self))
                #expect(
                    try patches.scales == #require(golden["stage.scales.\(name)"]).array(Int64.self)
                )
                try expectClose(
                    one(pixels), #require(golden["out.score.\(name)"]), "score \(name)")
                try expectClose(ten(pixels), #require(golden["out.mean.\(name)"]), "mean \(name)")
            }
            // A batch gives what its pictures give alone.
            let pixels = try picture("musiq batch", [2, 3, 40, 70]).to(.float32) / 255
            let alone = try (0..<2).map { try one(pixels.narrow(0, $0, 1)) }
            try expectClose(one(pixels), .cat(alone, axis: 0), "batch")
        }
    }

    @Test("RAFT's flow is torchvision's, large and small")
    func raft() throws {
        try withoutGradients {
            let golden = try Fixtures.tensors("predictors/raft.safetensors")
            let pictures = try (1...2).map {
                try (picture("raft \($0)", [1, 3, 136, 160]).to(.float32) / 255 - 0.5) / 0.5
            }
            try expectClose(
                pictures[0].slice(2, from: 0, to: 136, step: 40)
                    .slice(3, from: 0, to: 160, step: 40),
                #require(golden["stage.pixels"]), absolute: 1e-6, "pixels")
            for (name, config) in [("large", RAFTConfig.large), ("small", .small)] {
                let weights = Weights(FormulaWeights())
                let network = try RAFT(config, weights)
                let learned = weights.store.parameters.filter { !$0.name.contains("running") }
                #expect(
                    try learned.reduce(0) { $0 + $1.value.count }
                        == #require(golden["count.\(name)"]).intItem())
                for (updates, step) in [(1, 9), (4, 5)] {
                    let flow = try network(pictures[0], pictures[1], updateCount: updates)
                    #expect(flow.shape == [1, 2, 136, 160])
                    try expectClose(
                        flow.slice(2, from: 0, to: 136, step: step)
                            .slice(3, from: 0, to: 160, step: 7),
                        #require(golden["out.\(name).\(updates)"]), absolute: 1e-4,
                        relative: 1e-4, "\(name), \(updates) updates")
                }
            }
        }
    }

    @Test("Sizes are read off a file's weights")
    func sizes() throws {
        func shapes(_ make: (Weights) throws -> Void) rethrows -> (String) -> [Int]? {
            let weights = Weights(ShapesOnly())
            try make(weights)
            let shapes = weights.store.tensors.mapValues(\.shape)
            return { shapes[$0] }
        }
        let clip = CLIPVisionConfig()
        let released = try shapes { _ = try CLIPVisionEncoder(clip, $0) }
        #expect(CLIPVisionConfig(shape: released) == clip)
        for classes in [1, 10] {
            var config = MUSIQConfig()
            config.classCount = classes
            let found = try shapes { _ = try MUSIQ(config, $0) }
            #expect(MUSIQConfig(shape: found) == config)
            #expect(CLIPVisionConfig(shape: found) == nil)
            #expect(AestheticHead.kind(shape: found) == nil)
        }
        for kind in [AestheticHead.Kind.linear, .layered] {
            let found = try shapes { _ = try AestheticHead(kind, $0) }
            #expect(AestheticHead.kind(shape: found)?.kind == kind)
            #expect(AestheticHead.kind(shape: found)?.inputSize == 768)
            #expect(MUSIQConfig(shape: found) == nil)
        }
    }

    @Test("A whole CLIP model's configuration gives its vision part")
    func configurations() throws {
        func read(_ json: String) throws -> CLIPVisionConfig {
            try JSONDecoder().decode(CLIPVisionConfig.self, from: Data(json.utf8))
        }
        let whole = try read(
            #"{"projection_dim": 32, "vision_config": {"hidden_size": 64, "num_attention_heads": 4}}"#
        )
        #expect(whole.hiddenSize == 64 && whole.headCount == 4 && whole.projectionSize == 32)
        #expect(try read("{}") == CLIPVisionConfig())
        #expect(throws: DecodingError.self) { _ = try read(#"{"patch_size": 500}"#) }
        var wrong = MUSIQConfig()
        wrong.headCount = 5
        #expect(throws: ModelError.self) { _ = try MUSIQ(wrong, weights) }
    }

    @Test("Pictures that a network cannot see are errors that name them")
    func wrongPictures() throws {
        let raft = try RAFT(.small, weights)
        func message(_ a: [Int], _ b: [Int]) -> String {
            EncoderFolders.message { _ = try raft(.zeros(a), .zeros(b)) }
        }
        #expect(message([1, 3, 128, 130], [1, 3, 128, 130]).contains("multiples of 8"))
        #expect(message([1, 3, 120, 128], [1, 3, 120, 128]).contains("128 at least"))
        #expect(message([1, 3, 128, 128], [2, 3, 128, 128]).contains("[2, 3, 128, 128]"))
    }
}
