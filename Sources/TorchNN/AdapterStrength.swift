/// A set of adapters at a strength: what decides, beside the weights, what a layer gives.
///
/// It keeps the set, so that no other can take its place.
package struct AdapterStrength: Equatable {
    private let set: AdapterSet
    private let strength: Double

    /// Two are equal if they are of the very same set.
    package static func == (one: AdapterStrength, other: AdapterStrength) -> Bool {
        one.set === other.set && one.strength == other.strength
    }

    /// Those that act on any of the layers, in the order in which they are found.
    package static func all(on layers: [Linear]) -> [AdapterStrength] {
        var found: [AdapterStrength] = []
        for layer in layers {
            for (set, _) in layer.adapters where set.strength != 0 {
                let one = AdapterStrength(set: set, strength: set.strength)
                if !found.contains(one) { found.append(one) }
            }
        }
        return found
    }
}
