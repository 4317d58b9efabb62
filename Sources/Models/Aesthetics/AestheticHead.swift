public import Torch
public import TorchNN

/// LAION's predictors of how beautiful a picture is, from 1 to 10, on top of a CLIP embedding.
///
/// Source: LAION-AI/aesthetic-predictor (one linear map), christophschuhmann/improved-aesthetic-
/// predictor (five linear maps with nothing between them but what training drops out).
public final class AestheticHead {
    /// The two published forms.
    public enum Kind: Sendable, Equatable {
        /// `sa_0_4_vit_l_14_linear`: `weight` and `bias`.
        case linear
        /// `sac+logos+ava1-l14-linearMSE`: `layers.0` to `layers.7`.
        case layered
    }

    /// The form.
    public let kind: Kind
    /// The width of the embedding, D.
    public let inputSize: Int
    private let layers: [Linear]

    /// Builds the head from its weights, whose names are those of LAION's files.
    ///
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ kind: Kind, inputSize: Int = 768, _ weights: Weights) throws {
        (self.kind, self.inputSize) = (kind, inputSize)
        switch kind {
        case .linear: layers = [try Linear(inputSize, 1, weights)]
        case .layered:
            let widths = [inputSize, 1024, 128, 64, 16, 1]
            // The numbers between belong to dropouts.
            layers = try [0, 2, 4, 6, 7].enumerated().map { place, number in
                try Linear(widths[place], widths[place + 1], weights["layers"][number])
            }
        }
    }

    /// Which form a file's weights have, and the embedding's width; nil for another file.
    ///
    /// - Parameter shape: The shape of the tensor of a name; nil where there is none.
    public static func kind(shape: (String) -> [Int]?) -> (kind: Kind, inputSize: Int)? {
        if let weight = shape("weight"), weight.count == 2, weight[0] == 1, shape("bias") == [1] {
            return (.linear, weight[1])
        }
        if let first = shape("layers.0.weight"), first.count == 2, first[0] == 1024,
            shape("layers.7.weight") == [1, 16]
        {
            return (.layered, first[1])
        }
        return nil
    }

    /// Scores embeddings `(B, D)` of any length; `(B)`.
    ///
    /// - Throws: `TorchError` for another width.
    public func callAsFunction(_ embeddings: Tensor) throws -> Tensor {
        let length = try embeddings.square().sum([-1], keepAxes: true).sqrt().clamp(min: 1e-12)
        return try layers.reduce(embeddings / length) { try $1($0) }.squeeze(-1)
    }
}
