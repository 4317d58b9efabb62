import FramePack

/// How much a caption's direction tells the transformer, long before videos show it.
///
/// The error at high noise, where motion is decided, on clips that are kept out of training: with
/// their own captions, and with captions that name the opposite direction. As long as both are
/// alike, the words are not understood.
struct DirectionCheck {
    /// The noise level.
    static let level: Float = 0.95
    /// Clips of each order.
    static let count = 24
    /// The orders that are looked at: those of the released models.
    static let orders: [SamplingOrder] = [.f1, .inverted]
    /// The names of its figures.
    static let names = orders.flatMap {
        ["\($0.rawValue)", "\($0.rawValue)-opposite"]
    }

    private let chooser: SampleChooser

    init(_ chooser: SampleChooser) { self.chooser = chooser }

    /// The figures by name; none of an order without such clips.
    func errors(_ error: ([SampleChoice]) throws -> Double) rethrows -> [String: Double] {
        var figures: [String: Double] = [:]
        for order in Self.orders {
            let pairs = chooser.kept(order, count: Self.count)
            guard !pairs.isEmpty else { continue }
            figures[order.rawValue] = try error(pairs.map(\.truth))
            figures["\(order.rawValue)-opposite"] = try error(pairs.map(\.opposite))
        }
        return figures
    }
}
