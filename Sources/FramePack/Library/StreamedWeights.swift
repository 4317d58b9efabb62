import Models
public import Torch
public import TorchNN

/// Room on a device for a network whose weights do not all fit.
public struct StreamedRoom: Equatable, Sendable {
    /// Bytes through which weights pass; at least those of the largest one.
    public var ring: Int
    /// Bytes of weights that stay for good.
    public var resident: Int

    /// Names the bytes.
    public init(ring: Int, resident: Int = 0) { (self.ring, self.resident) = (ring, resident) }
}

extension WeightPlacement {
    /// The room of streamed weights; nil for others.
    var room: StreamedRoom? {
        guard case .streamed(let ring, let resident) = self else { return nil }
        return StreamedRoom(ring: ring, resident: resident)
    }
}

/// The weights of a network that stay in the file until they are used.
struct StreamedWeights {
    /// Weights below this size stay on the device.
    static let smallest = 4 << 10

    /// Their names.
    let names: Set<String>
    private let room: StreamedRoom?
    private let dtype: DType?

    /// Chooses weights, those that stay evenly among those that come, so that what is copied in a
    /// moment is about the same all through a pass.
    ///
    /// - Parameters:
    ///   - room: The room; nil streams nothing.
    ///   - dtype: The type in which weights are used; nil for a half one.
    ///   - tables: Names of tables of embeddings, which are looked up where they lie.
    ///   - build: Makes the network, of which only the sizes matter.
    init(
        _ room: StreamedRoom?, _ dtype: DType?, tables: Set<String> = [],
        _ build: (Weights) throws -> Void
    ) throws {
        (self.room, self.dtype) = (room, dtype)
        guard let room else {
            names = []
            return
        }
        let shapes = Weights(ShapesOnly())
        try build(shapes)
        let layers = shapes.linears.map {
            (
                name: "\($0.name).weight",
                bytes: $0.layer.inputSize * $0.layer.outputSize * (dtype?.size ?? 2)
            )
        }.filter { $0.bytes >= Self.smallest }
        let total = layers.reduce(0) { $0 + $1.bytes }
        let share = total > 0 ? min(Double(room.resident) / Double(total), 1) : 1
        var names = share == 1 ? [] : tables
        var due = 0.0
        for layer in layers {
            due += share * Double(layer.bytes)
            // A hair less is enough, as shares of all layers add up to all with rounding alone.
            if share == 1 || due >= Double(layer.bytes) {
                due -= Double(layer.bytes)
            } else {
                names.insert(layer.name)
            }
        }
        self.names = names
    }

    /// Begins to bring the weights of a network that was made with them.
    func begin(_ weights: Weights, to device: Device) throws {
        let layers = weights.linears.filter { names.contains("\($0.name).weight") }.map(\.layer)
        guard let room, !layers.isEmpty else { return }
        _ = try WeightStream(layers, to: device, dtype: dtype, capacity: room.ring)
    }
}
