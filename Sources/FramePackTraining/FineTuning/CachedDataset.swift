package import Foundation
package import FramePack
package import Torch

/// The encoded data of a training, read file by file as samples need them.
package struct CachedDataset {
    /// One clip with the folder and the list that it belongs to.
    package struct Entry {
        /// What of it lies where.
        package let clip: CachedClip
        let cache: ConditionCache
        let manifest: Int
        let window: Int
    }

    /// All clips, in the order of the datasets.
    package private(set) var entries: [Entry] = []
    private var manifests: [(list: CacheManifest, cache: ConditionCache)] = []

    /// Opens what `framepack train cache` made of a dataset.
    ///
    /// - Parameters:
    ///   - folder: Where files lie whose dataset names no folder.
    ///   - model: The model whose encoders made them.
    /// - Throws: `TrainingError` that says what to run where a part is missing, or is of another
    ///   dataset file or of other encoders.
    package init(_ dataset: DatasetFile, folder: URL, model: ModelFolder) throws {
        let identities = try CacheIdentity.all(model)
        for (number, part) in dataset.datasets.enumerated() {
            let cache = part.cache(orIn: folder)
            let name = CachePlan.manifestName(part.identity, identities)
            let manifest = try cache.manifest(name, of: dataset.url.path)
            manifests.append((manifest, cache))
            entries += manifest.clips.map {
                Entry(clip: $0, cache: cache, manifest: number, window: part.cutting.window)
            }
        }
        guard !entries.isEmpty else {
            throw TrainingError("the cache of \(dataset.url.path) holds no clip")
        }
    }

    /// Checks that every file is there and whole, as far as headers and lengths tell.
    ///
    /// - Throws: `TrainingError` that names the first that is not, and says what to run.
    package func checkFiles() throws {
        for (list, cache) in manifests {
            for name in list.fileNames { try cache.check(name) }
        }
    }

    /// The sections of all clips, each as often as its dataset repeats it.
    package func items() -> [(shape: String, item: SampleItem)] {
        entries.enumerated().flatMap { number, entry in
            let clip = entry.clip
            let sections = clip.pictureIndex == nil ? (clip.latentCount - 1) / entry.window : 1
            let kind = clip.pictureIndex == nil ? "clip \(entry.window)" : "picture"
            return (0..<sections).flatMap { section in
                (0..<clip.repeats).map { _ in
                    (
                        "\(kind) \(clip.height)x\(clip.width)",
                        SampleItem(clip: number, section: section)
                    )
                }
            }
        }
    }

    /// A clip's latents, `(C, F, h, w)` in float32, its start latent first.
    package func latents(_ number: Int) throws -> Tensor {
        let entry = entries[number]
        let own = try entry.cache.tensor("latents", in: entry.clip.latents)
        guard entry.clip.pictureIndex != nil, entry.clip.latentCount == 1 else { return own }
        // A picture that is made from its caption alone begins with the plain one.
        return try .cat([plainLatent(number), own], axis: 1)
    }

    /// The plain picture's latent at a clip's size, `(C, 1, h, w)`.
    package func plainLatent(_ number: Int) throws -> Tensor {
        try plain("latents", number) { $0.plainLatents }
    }

    /// The vision states of a clip's start picture, or of the plain one, `(I, C)`.
    package func vision(_ number: Int, isDropped: Bool) throws -> Tensor {
        let entry = entries[number]
        guard !isDropped, let name = entry.clip.vision else {
            return try plain("states", number) { $0.plainVision }
        }
        return try entry.cache.tensor("states", in: name)
    }

    /// The states of a clip's caption, or of the empty one: `(T, C)` and `(P)`.
    package func text(_ number: Int, isDropped: Bool) throws -> (embeds: Tensor, pooled: Tensor) {
        let entry = entries[number]
        let name = isDropped ? manifests[entry.manifest].list.emptyText : entry.clip.text
        return (
            try entry.cache.tensor("embeds", in: name), try entry.cache.tensor("pooled", in: name)
        )
    }

    private func plain(_ key: String, _ number: Int, _ names: (CacheManifest) -> [String: String])
        throws -> Tensor
    {
        let entry = entries[number]
        let size = FrameSize(height: entry.clip.height, width: entry.clip.width)
        guard let name = names(manifests[entry.manifest].list)["\(size)"] else {
            throw TrainingError(
                "\(entry.cache.folder.path) has no plain picture of \(size); run `framepack train "
                    + "cache` again")
        }
        return try entry.cache.tensor(key, in: name)
    }
}

extension ConditionCache {
    /// Reads the list of a dataset's clips.
    func manifest(_ name: String, of dataset: String) throws -> CacheManifest {
        guard let data = try? Data(contentsOf: url(name)) else {
            throw TrainingError(
                "\(folder.path) does not hold all of \(dataset), perhaps since that was changed, or "
                    + "since the encoders were; run `framepack train cache` first")
        }
        do { return try JSONDecoder().decode(CacheManifest.self, from: data) } catch {
            throw TrainingError(
                "\(url(name).path) cannot be read; run `framepack train cache`, which makes it again"
            )
        }
    }
}
