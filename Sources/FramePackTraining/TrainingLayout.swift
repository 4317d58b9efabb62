public import FramePack
import ToyWorld

/// A packing in a sampling order, and how often training draws it.
public struct TrainingLayout: Codable, Sendable, Hashable {
    /// The packing, in the form that the order wants.
    public let packing: Packing
    /// The sampling order.
    public let order: SamplingOrder
    /// How often it is drawn, relative to the others.
    public let weight: Double

    /// A packing in an order; that of its name unless told.
    ///
    /// - Parameter weight: Above 0.
    public init(_ packing: Packing, order: SamplingOrder? = nil, weight: Double = 1) {
        let order = order ?? packing.order
        self.packing = packing.adapted(to: order)
        (self.order, self.weight) = (order, weight)
    }

    /// Its name for people: the packing's, with the order where the name does not tell.
    public var name: String {
        packing.order == order ? packing.name : "\(packing.name) (\(order.rawValue))"
    }

    /// What the small model's base is trained with: every sampling order, the paper's packings and
    /// variants, tails, discrete history, and the control that sees the last latent alone.
    public static let all: [TrainingLayout] = named.compactMap { name, order, weight in
        // The names are constants, which a test reads.
        (try? Packing(name: name)).map { TrainingLayout($0, order: order, weight: weight) }
    }

    /// Names, orders where the name does not tell, and weights.
    static let named: [(String, SamplingOrder?, Double)] = [
        // The released models'.
        ("f1k1_x_f16k4f2k2f1k1_g9", nil, 4), ("f1k1_x_g9_f1k1f2k2f16k4_td", nil, 5),
        // Forward without an anchor.
        ("td_f16k4f4k2f1k1_g9", nil, 2), ("td_f16k4f2k2f1k1_g9", nil, 1.5),
        ("td_f8k8f4k4f2k2f1k1_g9", nil, 1.5),
        // Both ends first, and planned endpoints.
        ("td_f16k4f4k2f1k1_g9_x_f1k1", nil, 2), ("td_f16k4f2k2f1k1_g9_x_f1k1", nil, 1),
        ("td_f8k8f4k4f2k2f1k1_g9_x_f1k1", nil, 1), ("td_f16k4f2k2f1k1_g9_x_f1k1", .planned, 1),
        // Inverted.
        ("f1k1_x_g9_f1k1f4k2f16k4_td", nil, 1.5), ("f1k1_x_g9_f1k1f2k2f4k4f8k8_td", nil, 1),
        // Discrete history.
        ("td_f16k4f4k2f1k1_g9+D", nil, 1), ("td_f16k4f2k2f1k1_g9+D", nil, 1),
        ("td_f8k8f4k4f2k2f1k1_g9+D", nil, 1), ("f1k1_x_f16k4f2k2f1k1_g9+D", nil, 0.5),
        ("td_f16k4f4k2f1k1_g9_x_f1k1+D", nil, 0.5), ("f1k1_x_g9_f1k1f4k2f16k4_td+D", nil, 0.5),
        ("td_f16k4f2k2f1k1_g9_x_f1k1+D", nil, 0.4), ("f1k1_x_g9_f1k1f2k2f16k4_td+D", nil, 0.4),
        ("td_f8k8f4k4f2k2f1k1_g9_x_f1k1+D", nil, 0.4),
        ("f1k1_x_g9_f1k1f2k2f4k4f8k8_td+D", nil, 0.4),
        // Tails, and variants of the paper's figure.
        ("ta_f16k4f4k2f1k1_g9", nil, 0.5), ("tc_f16k4f4k2f1k1_g9", nil, 0.5),
        ("f1k1f4k2_x_f16k4f4k2f1k1_g9", nil, 0.4), ("td_f16k16f8k8f4k4f2k2f1k1_g9", nil, 0.4),
        ("td_f16k4f16k4f4k2f4k2f2k1_g9", nil, 0.3),
        // Short sections.
        ("td_f16k4f4k2f1k1_g4", nil, 0.5), ("td_f16k4f4k2f1k1_g1", nil, 0.3),
        // Sees the last latent alone.
        ("td_f1k1_g9", nil, 1),
    ]
}

/// Draws layouts and sections for clips of some length.
struct LayoutChooser {
    private let layouts: [TrainingLayout]
    private let firstShare: Double
    /// The plans of each layout by how many sections a video has, from 1.
    private let plans: [[SectionPlan]]

    /// Prepares plans.
    ///
    /// - Parameters:
    ///   - layouts: At least one.
    ///   - latents: The latents of the longest clip.
    ///   - firstShare: The share of samples in the section that is generated first.
    /// - Throws: `TrainingError` for a packing whose section no clip is long enough for.
    init(_ layouts: [TrainingLayout], latents: Int, firstShare: Double) throws {
        (self.layouts, self.firstShare) = (layouts, firstShare)
        plans = try layouts.map { layout in
            let window = layout.packing.window
            guard window < latents else {
                throw TrainingError(
                    """
                    \(layout.name) generates \(window) latents, and the longest clip has \
                    \(latents - 1) after its start; train with longer clips or a smaller g
                    """)
            }
            return try (1...(latents - 1) / window).map { count in
                try Self.plan(layout, sections: count)
            }
        }
    }

    private static func plan(_ layout: TrainingLayout, sections: Int) throws -> SectionPlan {
        let window = layout.packing.window
        return try SectionPlan(
            order: layout.order, length: .frames(4 * window * sections + 1), window: window,
            packing: layout.packing, timeline: PromptTimeline("video"))
    }

    /// The plan of a video that a clip is long enough for, and a section of it.
    ///
    /// - Throws: `TrainingError` for a clip that is too short for every layout.
    func choose(latents: Int, _ random: inout SplitMix64) throws -> (SectionPlan, Section) {
        let fitting = layouts.indices.filter { layouts[$0].packing.window < latents }
        guard let last = fitting.last else {
            throw TrainingError(
                """
                a clip has \(latents - 1) latents after its start, fewer than any of the packings \
                generates; train with longer clips or a smaller g
                """)
        }
        var draw = Double.random(
            in: 0..<fitting.reduce(0) { $0 + layouts[$1].weight }, using: &random)
        let index = fitting.first {
            draw -= layouts[$0].weight
            return draw < 0
        }
        let layout = index ?? last
        let longest = min((latents - 1) / layouts[layout].packing.window, plans[layout].count)
        let plan = plans[layout][Int.random(in: 1...longest, using: &random) - 1]
        let isFirst = Double.random(in: 0..<1, using: &random) < firstShare
        let number = isFirst ? 0 : Int.random(in: 0..<plan.sections.count, using: &random)
        return (plan, plan.sections[number])
    }
}
