import Torch
import TorchNN

/// Takes away the weights that a block does not ask for, and counts what was asked for.
final class Absence: WeightResidency {
    let store: ParameterStore
    var selections: [BlockSelection] = []

    init(_ store: ParameterStore) {
        self.store = store
        store.residency = self
    }

    func withBlock(
        _ block: String, _ selection: BlockSelection, _ body: () throws -> [Tensor]
    ) throws -> [Tensor] {
        selections.append(selection)
        let away = store.parameters.filter {
            $0.name.hasPrefix(block) && !selection.contains($0.name)
        }
        let values = away.map(\.value)
        for parameter in away { parameter.value = try .full(parameter.value.shape, .nan) }
        defer { for (parameter, value) in zip(away, values) { parameter.value = value } }
        return try body()
    }
}
