import Checkpoints
public import Foundation
import FramePackMetrics
package import Media
import Models
public import Torch
import TorchNN

/// The networks that score pictures and find motion, from a folder with their published files.
///
/// Each file is told by what it holds, not by its name: RAFT as torchvision publishes it, MUSIQ as
/// pyiqa does, CLIP with its vision tower as transformers does, and either of LAION's heads; as
/// safetensors or PyTorch's own files, in the folder or in one below it. Whichever are there are
/// used; of several MUSIQ files the one trained on SPAQ, of RAFT the large one, of heads the linear.
public final class Predictors {
    /// One file in use.
    public struct File: Codable, Sendable, Equatable {
        /// The network: "MUSIQ", "RAFT large", "RAFT small", "CLIP", "LAION linear", "LAION MLP".
        public var network: String
        /// The file, as it lies in the folder.
        public var file: String
    }

    /// The files in use.
    public private(set) var files: [File] = []
    private let device: Device
    private var musiq: MUSIQ?
    private var raft: RAFT?
    private var clip: CLIPVisionEncoder?
    private var head: AestheticHead?

    /// Steps of RAFT's search, as VBench takes them.
    static let updateCount = 20

    /// Reads every predictor of a folder.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - device: Where the networks compute.
    /// - Throws: `TrainingError` where the folder has no predictor, or a head without the encoder;
    ///   `CheckpointError` for a file that is broken.
    public init(_ folder: URL, device: Device = .cpu) throws {
        self.device = device
        for file in try Self.weightFiles(in: folder) {
            file.device = device
            file.dtype = .float32
            let name = file.url.path.dropFirst(folder.standardizedFileURL.path.count + 1)
            try read(file, name: String(name))
        }
        guard !files.isEmpty else {
            throw TrainingError(
                """
                \(folder.path) has no predictor: put MUSIQ's, RAFT's, or CLIP's and LAION's \
                weights there, as docs/metrics.md tells
                """)
        }
        guard (clip == nil) == (head == nil) else {
            throw TrainingError(
                clip == nil
                    ? "\(folder.path) has LAION's head without CLIP ViT-L/14, whose embedding it "
                        + "scores; add CLIP's model.safetensors"
                    : "\(folder.path) has CLIP without LAION's head, which scores its embedding; "
                        + "add sa_0_4_vit_l_14_linear.pth")
        }
        if let clip, let head, clip.config.projectionSize != head.inputSize {
            throw TrainingError(
                """
                \(folder.path) has a head for embeddings of \(head.inputSize) numbers, and a CLIP \
                that gives \(clip.config.projectionSize); LAION's heads go with ViT-L/14
                """)
        }
    }

    /// What the optical flow is called; nil without RAFT.
    var flowName: String? { raft.map { "RAFT \($0.config.isLarge ? "large" : "small")" } }

    // MARK: - Files

    private static func weightFiles(in folder: URL) throws -> [WeightFile] {
        let manager = FileManager.default
        func content(_ url: URL) throws -> [URL] {
            try manager.contentsOfDirectory(
                at: url, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles]
            ).map(\.standardizedFileURL).sorted { $0.path < $1.path }
        }
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue
        else { throw TrainingError("\(folder.path) is no folder; it must hold predictors' files") }
        let top = try content(folder.standardizedFileURL)
        let below = try top.filter(\.hasDirectoryPath).flatMap(content)
        let files = (top + below)
            .filter { WeightFile.endings.contains($0.pathExtension.lowercased()) }
        // What comes later takes the place of what was before.
        let isBest = { (file: URL) in file.lastPathComponent.lowercased().contains("spaq") }
        return try (files.filter { !isBest($0) } + files.filter(isBest)).map { try WeightFile($0) }
    }

    private func read(_ file: WeightFile, name: String) throws {
        let weights = Weights(file)
        if let config = MUSIQConfig(shape: file.shape) {
            musiq = try MUSIQ(config, weights)
            try file.checkAllUsed()
            use("MUSIQ", name)
        } else if file.contains("update_block.flow_head.conv1.weight") {
            let isLarge = file.contains("mask_predictor.conv.weight")
            if raft?.config.isLarge == true && !isLarge { return }
            raft = try RAFT(isLarge ? .large : .small, weights)
            try file.checkAllUsed(ignoring: RAFT.isIgnored)
            files.removeAll { $0.network.hasPrefix("RAFT") }
            use(isLarge ? "RAFT large" : "RAFT small", name)
        } else if let config = CLIPVisionConfig(shape: file.shape) {
            let folder = file.url.deletingLastPathComponent()
            let hasConfig = FileManager.default.fileExists(
                atPath: folder.appendingPathComponent("config.json").path)
            clip = try CLIPVisionEncoder(
                hasConfig ? CheckpointFolder.json(CLIPVisionConfig.self, in: folder) : config,
                weights)
            try file.checkAllUsed(ignoring: CLIPVisionEncoder.isIgnored)
            use("CLIP", name)
        } else if let (kind, size) = AestheticHead.kind(shape: file.shape) {
            if head?.kind == .linear && kind == .layered { return }
            head = try AestheticHead(kind, inputSize: size, weights)
            try file.checkAllUsed()
            files.removeAll { $0.network.hasPrefix("LAION") }
            use(kind == .linear ? "LAION linear" : "LAION MLP", name)
        }
    }

    private func use(_ network: String, _ file: String) {
        files.removeAll { $0.network == network }
        files.append(File(network: network, file: file))
    }

    // MARK: - Scores

    /// MUSIQ's and LAION's scores of a picture, those that can be given.
    func scores(_ picture: Picture) throws -> [Metric: Double] {
        try withoutGradients {
            var scores: [Metric: Double] = [:]
            if let musiq { scores[.clarity] = try musiq(unit(picture)).item() }
            if let clip, let head {
                let pixels = try CLIPVisionEncoder.pixelValues(
                    Self.clipLevels(picture, side: clip.config.imageSize))
                scores[.aesthetic] = try head(clip(pixels)).item()
            }
            return scores
        }
    }

    /// A picture whose shorter side is `side`, cut to the centre: uint8 `(1, side, side, 3)`.
    ///
    /// Source: transformers `CLIPImageProcessor`.
    package static func clipLevels(_ picture: Picture, side: Int) throws -> Tensor {
        let shorter = min(picture.width, picture.height)
        let resized = picture.resized(
            width: side * picture.width / shorter, height: side * picture.height / shorter,
            filter: .bicubic)
        let cut = resized.cropped(
            x: (resized.width - side) / 2, y: (resized.height - side) / 2, width: side,
            height: side)
        return try Tensor(cut.pixels, [1, side, side, 3])
    }

    /// RAFT's flow between two pictures of one size; nil without RAFT.
    ///
    /// Sides are filled up to multiples of 8 with the nearest edge's pixels, and pictures of fewer
    /// than 128 pixels are enlarged by a whole factor; the flow is that of the picture itself.
    func flow(from first: Picture, to second: Picture) throws -> FlowField? {
        guard let raft else { return nil }
        return try withoutGradients {
            let shorter = min(first.width, first.height)
            let factor = (RAFTConfig.leastSide + shorter - 1) / shorter
            let size = [first.height * factor, first.width * factor]
            let extra = size.map { ($0 + 7) / 8 * 8 - $0 }
            func prepared(_ picture: Picture) throws -> Tensor {
                let pixels = try (unit(picture) - 0.5) / 0.5
                let large =
                    factor > 1 ? try pixels.resized(size, .bilinear(alignsCorners: false)) : pixels
                return try large.pad(
                    [extra[1] / 2, extra[1] - extra[1] / 2, extra[0] / 2, extra[0] - extra[0] / 2],
                    .replicate)
            }
            let flow =
                try raft(prepared(first), prepared(second), updateCount: Self.updateCount)
                .narrow(2, extra[0] / 2, size[0]).narrow(3, extra[1] / 2, size[1])
            let ways = try (flow / Double(factor)).to(.cpu).squeeze(0).unbind(0).map {
                Plane(width: size[1], height: size[0], values: try $0.array(Float.self))
            }
            return FlowField(x: ways[0], y: ways[1])
        }
    }

    /// `(1, 3, H, W)` in [0, 1].
    private func unit(_ picture: Picture) throws -> Tensor {
        try Tensor(picture.pixels, [1, picture.height, picture.width, 3]).to(device, .float32)
            .permute(0, 3, 1, 2) / 255
    }
}
