import ToyWorld

/// One section of one clip, which is what a sample shows.
package struct SampleItem: Hashable {
    /// The clip's number in the data.
    package let clip: Int
    /// The section in the order of generation; 0 for a picture.
    package let section: Int

    /// Names a section.
    package init(clip: Int, section: Int) { (self.clip, self.section) = (clip, section) }
}

/// In which order a training sees its data: every section once in a pass, in steps of one size and
/// shape, shuffled anew for each pass.
///
/// A step's samples follow from its number alone, whatever came before, and all of them are drawn
/// together: how processes and accumulation divide them changes nothing.
package struct SampleOrder {
    private let groups: [[SampleItem]]
    private let count: Int
    private let seed: UInt64
    /// Steps of one pass over the data.
    package let stepsPerPass: Int

    /// Prepares an order.
    ///
    /// - Parameters:
    ///   - items: Each with what samples of one step must have in common; at least one.
    ///   - count: Samples of a step, over all processes and accumulated passes.
    package init(_ items: [(shape: String, item: SampleItem)], count: Int, seed: UInt64) {
        precondition(!items.isEmpty && count > 0, "a training has data")
        var groups: [String: [SampleItem]] = [:]
        for (shape, item) in items { groups[shape, default: []].append(item) }
        self.groups = groups.sorted { $0.key < $1.key }.map(\.value)
        (self.count, self.seed) = (count, seed)
        stepsPerPass = self.groups.reduce(0) { $0 + ($1.count + count - 1) / count }
    }

    /// The samples of a step, all of one shape.
    package func samples(step: Int) -> [SampleItem] {
        let (pass, place) = step.quotientAndRemainder(dividingBy: stepsPerPass)
        var random = SplitMix64(seed: SplitMix64.mix(seed ^ SplitMix64.mix(UInt64(pass) &+ 1)))
        var steps: [[SampleItem]] = []
        for group in groups {
            let shuffled = group.shuffled(using: &random)
            for start in stride(from: 0, to: shuffled.count, by: count) {
                // The last step of a group is filled up from its beginning.
                steps.append((start..<start + count).map { shuffled[$0 % shuffled.count] })
            }
        }
        steps.shuffle(using: &random)
        return steps[place]
    }
}
