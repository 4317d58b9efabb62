/// A small, fast generator of random numbers whose sequence is fixed by its seed on every machine.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that always gives the same numbers for the same seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return SplitMix64.mix(state)
    }

    /// Scrambles one number into another; each bit of the result depends on all bits of the input.
    public static func mix(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A number in [0, 1), with 53 random bits.
    mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in the range, its middle if the range is turned around by an object too large.
    mutating func uniform(_ lower: Double, _ upper: Double) -> Double {
        guard lower < upper else { return (lower + upper) / 2 }
        return lower + (upper - lower) * unit()
    }

    /// True with the given probability.
    mutating func chance(_ probability: Double) -> Bool {
        unit() < probability
    }

    /// One of the elements, all equally likely.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        precondition(!elements.isEmpty, "There is nothing to pick from.")
        return elements[Int(unit() * Double(elements.count))]
    }

    /// One of the cases that have a weight above zero, each as likely as its weight says.
    ///
    /// Walks `allCases`, not the dictionary, whose order differs from run to run.
    mutating func pick<Case: Hashable & CaseIterable>(
        weights: [Case: Double], where isAllowed: (Case) -> Bool = { _ in true }
    ) -> Case? {
        let candidates = Case.allCases.filter { (weights[$0] ?? 0) > 0 && isAllowed($0) }
        var remaining = unit() * candidates.reduce(0) { $0 + (weights[$1] ?? 0) }
        for candidate in candidates {
            remaining -= weights[candidate] ?? 0
            if remaining < 0 { return candidate }
        }
        return candidates.last
    }
}
