import Checkpoints
import Foundation
import Torch

/// A clip, or a picture, of which everything is encoded.
package struct CachedClip: Codable, Equatable {
    /// The file that it comes from, and where in it it begins, for people.
    package let source: String
    /// What it shows.
    package let caption: String
    /// The file of its latents in the cache.
    package let latents: String
    /// The file of its start picture's vision states; nil where it has no start picture.
    package let vision: String?
    /// The file of its caption's states.
    package let text: String
    /// Latents in all: W·n + 1, or 2 for a picture and what it is made from.
    package let latentCount: Int
    /// In pixels.
    package let height, width: Int
    /// How often it is seen in one pass over the data.
    package let repeats: Int
    /// The rotary index of a picture; nil for a clip.
    package let pictureIndex: Int?
}

/// What one `[[datasets]]` encoded to: the list of its clips, written when all of them are there.
struct CacheManifest: Codable, Equatable {
    /// The clips, in the order of files and of beginnings.
    var clips: [CachedClip]
    /// The states of the empty caption.
    var emptyText: String
    /// The latent of the plain picture, by size, as "width x height", and its vision states.
    var plainLatents, plainVision: [String: String]

    /// Every file that it names, once.
    var fileNames: Set<String> {
        let own = clips.flatMap { [$0.latents, $0.vision, $0.text].compactMap { $0 } }
        return Set(own + [emptyText] + plainLatents.values + plainVision.values)
    }
}

/// The files of one cache folder, each named after what it was made from.
struct ConditionCache {
    let folder: URL

    /// Where a file of the cache lies.
    func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

    /// Whether there is a file of a name, whole or not.
    func hasFile(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: url(name).path)
    }

    /// Whether a file is there and whole, as far as its header and its length tell.
    ///
    /// Files are written whole; what happens to them afterwards is not known.
    func contains(_ name: String) -> Bool { (try? SafetensorsFile(url(name))) != nil }

    /// Checks that a file is there and whole.
    ///
    /// - Throws: `TrainingError` that says what is wrong with it, and what to run.
    func check(_ name: String) throws { _ = try file(name) }

    private func file(_ name: String) throws -> SafetensorsFile {
        do { return try SafetensorsFile(url(name)) } catch let error as CheckpointError {
            throw TrainingError("\(error); run `framepack train cache`, which makes it again")
        }
    }

    /// Keeps tensors in half precision, or as they are where that has no room for them.
    func write(_ tensors: [String: Tensor], source: String, to name: String) throws {
        var stored: [String: Tensor] = [:]
        for (key, tensor) in tensors {
            let half = try tensor.to(.cpu, .float16)
            let fits = try half.isFinite().all().to(.float32).item() != 0
            stored[key] = fits ? half : try tensor.to(.cpu, .float32)
        }
        try writeSafetensors(stored, metadata: ["source": source], to: url(name))
    }

    /// A tensor of a file in float32.
    func tensor(_ key: String, in name: String) throws -> Tensor {
        try file(name).tensor(key).to(.float32)
    }
}
