public import Models

/// One level of the packed history: so many neighbouring latents through one kernel, fNkM.
public struct PackingLevel: Hashable, Sendable {
    /// Latent frames at this level.
    public let latentCount: Int
    /// Their patch kernel.
    public let kernel: PatchKernel

    /// Makes a level of one latent or more.
    public init(latentCount: Int, kernel: PatchKernel) {
        precondition(latentCount > 0, "a level holds at least one latent")
        (self.latentCount, self.kernel) = (latentCount, kernel)
    }

    /// How long it is in units of a latent frame in full.
    public var relativeLength: Double { Double(latentCount) * kernel.relativeLength }

    /// The power of two that the level stands for in the sum of φ.
    ///
    /// Frames that a kernel takes one by one are terms each, so that a count of 2 is a term that
    /// occurs twice. A temporal kernel's level is one term: 16 frames through k4 are 1/4.
    var term: Double { kernel.frames == 1 ? kernel.relativeLength : relativeLength }
}

/// What becomes of latents that are older than all levels of a packing.
///
/// Source: arXiv 2504.12626, section 3.1.
public enum PackingTail: String, Codable, Hashable, Sendable, CaseIterable {
    /// They are deleted.
    case delete = "td"
    /// Each is averaged to about one latent pixel, which the coarsest kernel encodes.
    case append = "ta"
    /// All of them are averaged to one latent pixel, which the coarsest kernel encodes.
    case compress = "tc"

    /// How a tail's latents are averaged; nil where there are none.
    public var averaging: TailAveraging? {
        switch self {
        case .delete: nil
        case .append: .eachFrame
        case .compress: .allFrames
        }
    }
}

/// How the context of a section is packed: the paper's names, such as `td_f16k4f4k2f1k1_g9`.
///
/// A name lists what the network sees in the order of time. `fNkM` are N latent frames through the
/// kernel kM, `gN` the N frames that are generated, `x` a skip over any number of frames, `td`, `ta`
/// and `tc` say what becomes of older frames, and `+D` makes the history discrete. ``init(name:)``
/// reads a name, ``name`` writes it.
///
/// Frames that stand right beside `gN` are the *history*: the latents nearest to the section. Frames
/// beyond an `x` are *anchors*: beside `gN` the nearest ones that exist on that side, beyond the
/// history the video's first or last ones.
///
/// Source: arXiv 2504.12626, sections 3.1 and 4.1.
public struct Packing: Hashable, Sendable {
    /// One part of a name.
    enum Part: Hashable, Sendable {
        case frames([PackingLevel])
        case generated(Int)
        case skip
        case tail(PackingTail)
    }

    /// The parts in the order of time.
    let parts: [Part]
    /// Whether latents of the history are replaced by the nearest of a codebook, +D.
    public let isDiscrete: Bool

    /// Puts checked parts together.
    init(parts: [Part], isDiscrete: Bool) {
        (self.parts, self.isDiscrete) = (parts, isDiscrete)
    }

    /// Latents that a section generates.
    public var window: Int {
        for case .generated(let count) in parts { return count }
        return 0
    }

    /// The paper's name.
    public var name: String {
        parts.map(\.name).joined(separator: "_") + (isDiscrete ? "+D" : "")
    }

    /// What stands before the generated section, and what stands after it.
    var before: Side {
        Side(parts.prefix { !$0.isGenerated }.reversed(), isBefore: true)
    }
    var after: Side {
        Side(Array(parts.drop { !$0.isGenerated }.dropFirst()), isBefore: false)
    }

    /// All levels of history and anchors, in the order of time.
    public var levels: [PackingLevel] {
        parts.flatMap { part -> [PackingLevel] in
            if case .frames(let levels) = part { levels } else { [] }
        }
    }

    /// The kernels that a transformer needs for it, the finest first.
    public var kernels: [PatchKernel] {
        Set(levels.map(\.kernel)).sorted { ($0.volume, $0.height) < ($1.volume, $1.height) }
    }

    /// The length of the packed context and the generated frames in units of one frame in full: the
    /// sum of φ.
    ///
    /// 10.75 for `td_f16k4f4k2f1k1_g9`. The tail's tokens are not counted; they are a few.
    /// Source: arXiv 2504.12626, section 3.1.
    public var contextCost: Double {
        levels.reduce(Double(window)) { $0 + $1.relativeLength }
    }

    /// The bound of the same sum for an endless history.
    ///
    /// Nil where no side keeps what is older than its levels. Under tc everything older is one latent
    /// pixel, so that nothing is added. Under ta the sum goes on beyond the last level as the paper's
    /// does, halving (λ = 2): no frame is ever lost, and what is added is as long as the last level's
    /// term. A level more that is half as long as the last one leaves the bound where it is.
    /// Source: arXiv 2504.12626, section 3.1: (S + λ/(λ − 1))·L.
    public var limit: Double? {
        let keeping = [before, after].filter { $0.tail?.averaging != nil }
        guard !keeping.isEmpty else { return nil }
        return keeping.reduce(contextCost) { $0 + ($1.tail == .append ? $1.lastTerm : 0) }
    }

    /// Latents of the history that a section sees, without anchors: 21 for `td_f16k4f4k2f1k1_g9`.
    public var latentFramesRemembered: Int { history.reduce(0) { $0 + $1.latentCount } }

    /// The levels right before and right after the section, from the nearest on.
    var history: [PackingLevel] { before.history + after.history }

}

extension Packing {
    /// What a name says of one side of the generated section, from the section outward.
    struct Side: Hashable, Sendable {
        /// The levels right beside the section, the nearest first.
        var history: [PackingLevel] = []
        /// Levels beyond skips, run by run, the nearest run and level first.
        var anchors: [[PackingLevel]] = []
        /// What becomes of latents beyond the history; nil where the name does not say.
        var tail: PackingTail?

        /// Parts from the section outward; levels within them are in the order of time.
        fileprivate init(_ outward: [Part], isBefore: Bool) {
            var isBeyondSkip = false
            for part in outward {
                switch part {
                case .skip: isBeyondSkip = true
                case .tail(let tail): self.tail = tail
                case .generated: break
                case .frames(let levels):
                    let ordered = isBefore ? levels.reversed() : levels
                    if isBeyondSkip { anchors.append(ordered) } else { history = ordered }
                }
            }
        }

        /// Whether nothing is seen on this side.
        var isEmpty: Bool { history.isEmpty && anchors.isEmpty }

        /// The term of the level beyond which the tail begins.
        fileprivate var lastTerm: Double { (history.last ?? anchors.first?.last)?.term ?? 0 }
    }
}

extension Packing.Part {
    var isGenerated: Bool { if case .generated = self { true } else { false } }

    var name: String {
        switch self {
        case .frames(let levels):
            levels.map { "f\($0.latentCount)\($0.kernel)" }.joined()
        case .generated(let count): "g\(count)"
        case .skip: "x"
        case .tail(let tail): tail.rawValue
        }
    }
}

extension Packing: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}

extension Packing: Codable {
    /// Reads a name.
    public init(from decoder: any Decoder) throws {
        try self.init(name: decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the name.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(name)
    }
}
