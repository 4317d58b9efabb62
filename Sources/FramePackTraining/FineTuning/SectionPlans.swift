import FramePack
import ToyWorld

/// The plans of clips of every length, in the orders and packings that a training draws from.
final class SectionPlans {
    /// A sampling order with a packing.
    struct Layout: Hashable {
        let order: SamplingOrder
        /// Nil for the released models' levels.
        var packing: Packing?
        /// Whether its history is made of a codebook's entries.
        var isDiscrete: Bool { packing?.isDiscrete ?? false }
    }

    /// What is drawn from.
    let layouts: [Layout]
    private let window: Int
    private var plans: [Layout: [Int: SectionPlan]] = [:]

    /// Prepares the plans that a configuration asks for.
    ///
    /// - Parameter model: Whose own order is taken where none is asked for.
    init(_ config: FineTuningConfig.Sections, model: ModelFolder) {
        let orders = config.orders.compactMap(SamplingOrder.init)
        let packings = config.packings.compactMap { try? Packing(name: $0) }
        layouts =
            packings.isEmpty
            ? (orders.isEmpty ? [model.defaultOrder] : orders).map { Layout(order: $0) }
            : packings.flatMap { packing in
                (orders.isEmpty ? [packing.order] : orders).map {
                    Layout(order: $0, packing: packing.adapted(to: $0))
                }
            }
        window = config.window
    }

    /// Checks that a model can run every packing.
    ///
    /// - Throws: `FramePackError.model` that names the kernel that it lacks.
    func check(_ model: ModelFolder) throws {
        for layout in layouts {
            try model.checkKernels(of: layout.packing ?? .released(layout.order, window: window))
        }
    }

    /// Draws an order with a packing.
    func layout(_ random: inout SplitMix64) -> Layout {
        layouts[Int.random(in: 0..<layouts.count, using: &random)]
    }

    /// The plan of pictures that are trained as single latents: nothing but the start latent comes
    /// before its section.
    ///
    /// Source: the one-frame training of musubi-tuner.
    func picturePlan() throws -> SectionPlan { try plan(1, Layout(order: .inverted)) }

    /// The plan of a clip of so many sections.
    func plan(_ count: Int, _ layout: Layout) throws -> SectionPlan {
        if let known = plans[layout]?[count] { return known }
        let plan = try SectionPlan(
            order: layout.order, length: .frames(4 * window * count + 1), window: window,
            packing: layout.packing, timeline: PromptTimeline("video"))
        plans[layout, default: [:]][count] = plan
        return plan
    }
}
