import Foundation
import FramePack
import TestSupport
import Testing
import Torch

@Suite struct EmbeddingCacheTests {
    private func names(_ folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    /// A copy of the tiny model whose files may be removed.
    private func modelCopy(in folder: URL) throws -> ModelFolder {
        let copy = folder.appendingPathComponent("model-\(UUID().uuidString)")
        let files = FileManager.default
        for part in names(try tinyModel().url) {
            let source = try tinyModel().url.appendingPathComponent(part)
            let place = copy.appendingPathComponent(part)
            try files.createDirectory(at: copy, withIntermediateDirectories: true)
            guard source.hasDirectoryPath || !names(source).isEmpty else {
                try files.copyItem(at: source, to: place)
                continue
            }
            try files.createDirectory(at: place, withIntermediateDirectories: true)
            // The weights are links into other fixtures.
            for name in names(source) {
                try files.copyItem(
                    at: source.appendingPathComponent(name).resolvingSymlinksInPath(),
                    to: place.appendingPathComponent(name))
            }
        }
        return try ModelFolder(copy)
    }

    /// Removes the weights of all encoders, once a run has been planned.
    private func removeEncoders(of model: ModelFolder, after event: PipelineEvent) {
        guard case .planned = event.kind else { return }
        for part in ["text_encoder", "text_encoder_2", "image_encoder"] {
            let folder = model.url.appendingPathComponent(part)
            for name in names(folder) where name.hasSuffix(".safetensors") {
                try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        }
    }

    private func options(_ cache: URL?) -> PipelineOptions {
        var options = PipelineOptions()
        options.embeddings = cache.map { EmbeddingCache($0) }
        return options
    }

    private func latents(_ result: GenerationResult) throws -> Data {
        try Data(
            contentsOf: URL(fileURLWithPath: #require(result.job))
                .appendingPathComponent("section-000.safetensors"))
    }

    private func request(in folder: URL, _ output: String) throws -> GenerationRequest {
        var request = try tinyRequest(in: folder, output: output)
        (request.frames, request.keepJob) = (8, true)
        (request.cfg, request.negativePrompt) = (1.5, "blur")
        return request
    }

    @Test("A second run needs no encoder's weights and gives the same bytes")
    func hits() throws {
        try withTemporaryFolder { folder in
            let cache = folder.appendingPathComponent("cache")
            let plain = try Pipeline(tinyModel()).run(request(in: folder, "plain.mp4"))
            let first = try Pipeline(tinyModel(), options: options(cache))
                .run(request(in: folder, "first.mp4"))
            #expect(
                names(cache).map { $0.prefix { $0 != "-" } }
                    == ["moments", "prompt", "prompt", "vision"])
            let model = try modelCopy(in: folder)
            let second = try Pipeline(model, options: options(cache))
                .run(request(in: folder, "second.mp4")) { removeEncoders(of: model, after: $0) }
            #expect(try latents(plain) == latents(first))
            #expect(try latents(plain) == latents(second))
            // Without the cache the same run fails.
            let other = try modelCopy(in: folder)
            #expect(throws: (any Error).self) {
                try Pipeline(other).run(request(in: folder, "third.mp4")) {
                    removeEncoders(of: other, after: $0)
                }
            }
        }
    }

    @Test("Another prompt, picture, model or number type has embeddings of its own")
    func keys() throws {
        try withTemporaryFolder { folder in
            let cache = folder.appendingPathComponent("cache")
            func count(_ kind: String, after request: GenerationRequest, _ model: ModelFolder)
                throws
                -> Int
            {
                _ = try Pipeline(model, options: options(cache)).run(request)
                return names(cache).count { $0.hasPrefix(kind) }
            }
            var request = try tinyRequest(in: folder)
            request.frames = 8
            #expect(try count("prompt", after: request, tinyModel()) == 1)
            request.prompt += " slowly"
            #expect(try count("prompt", after: request, tinyModel()) == 2)
            #expect(try count("vision", after: request, tinyModel()) == 1)
            request.width = 64
            #expect(try count("vision", after: request, tinyModel()) == 2)
            #expect(try count("moments", after: request, tinyModel()) == 2)
            let model = try modelCopy(in: folder)
            let config = model.url.appendingPathComponent("text_encoder/config.json")
            try (Data(contentsOf: config) + Data("\n".utf8)).write(to: config)
            #expect(try count("prompt", after: request, model) == 3)
            #expect(try count("vision", after: request, model) == 2)
            var plain = options(cache)
            plain.kernels = .plain
            _ = try Pipeline(model, options: plain).run(request)
            #expect(names(cache).count { $0.hasPrefix("prompt") } == 4)
        }
    }

    @Test("A run with parity neither reads nor writes embeddings")
    func parity() throws {
        try withTemporaryFolder { folder in
            let cache = folder.appendingPathComponent("cache")
            var request = try tinyRequest(in: folder)
            (request.frames, request.parity) = (8, true)
            _ = try Pipeline(tinyModel(), options: options(cache)).run(request)
            #expect(names(cache).isEmpty)
        }
    }

    @Test("A harmed file is made again, and a folder that cannot be written does not matter")
    func harm() throws {
        try withTemporaryFolder { folder in
            let cache = EmbeddingCache(folder.appendingPathComponent("cache"))
            var made = 0
            func value(_ cache: EmbeddingCache) throws -> [Float] {
                let found = try cache.tensors("prompt-1") {
                    made += 1
                    return ["embeds": try Tensor([1, 2, 3] as [Float])]
                }
                return try #require(found["embeds"]).array(Float.self)
            }
            #expect(try value(cache) == [1, 2, 3] && value(cache) == [1, 2, 3])
            #expect(made == 1)
            let file = cache.folder.appendingPathComponent("prompt-1.safetensors")
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count - 1] ^= 0x40
            try bytes.write(to: file)
            #expect(try value(cache) == [1, 2, 3] && made == 2)
            try bytes.prefix(30).write(to: file)
            #expect(try value(cache) == [1, 2, 3] && made == 3)
            #expect(try value(cache) == [1, 2, 3] && made == 3)
            #expect(try value(EmbeddingCache(file)) == [1, 2, 3] && made == 4)
        }
    }

    @Test("What was not used for longest makes room")
    func room() throws {
        try withTemporaryFolder { folder in
            let cache = EmbeddingCache(folder, capacity: 20_000)
            func use(_ key: String, at time: Double) throws {
                _ = try cache.tensors(key) { ["x": try .zeros([2000])] }
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: time)],
                    ofItemAtPath: folder.appendingPathComponent("\(key).safetensors").path)
            }
            try use("a", at: 1000)
            try use("b", at: 2000)
            // Eight thousand bytes each: two have room. Using `a` makes `b` the oldest.
            _ = try cache.tensors("a") { [:] }
            try use("c", at: 4000)
            #expect(names(folder) == ["a.safetensors", "c.safetensors"])
        }
    }
}
