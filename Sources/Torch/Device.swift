import CTorch

/// Where a tensor's memory lies and where its operations run.
public struct Device: Hashable, Sendable, CustomStringConvertible {
    /// The kinds of device that this build knows; raw values are libtorch's `DeviceType`.
    public enum Kind: Int8, Sendable {
        /// The machine's processor and memory.
        case cpu = 0
        /// An NVIDIA GPU.
        case cuda = 1
        /// Nowhere: tensors have a shape and a type but no memory.
        case meta = 14
    }

    /// The kind of device.
    public let kind: Kind
    /// Which one of its kind; 0 for the CPU.
    public let index: Int

    /// Names a device.
    ///
    /// It need not exist; using it then fails.
    public init(_ kind: Kind, index: Int = 0) {
        self.kind = kind
        self.index = index
    }

    /// The processor.
    public static let cpu = Device(.cpu)

    /// No memory at all: for asking what shapes a model has.
    public static let meta = Device(.meta)

    /// An NVIDIA GPU.
    public static func cuda(_ index: Int = 0) -> Device { Device(.cuda, index: index) }

    /// Reads `cpu`, `cuda` or `cuda:1`; nil if it is none of these.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count) {
        case ("cpu", 1): self = .cpu
        case ("cuda", 1): self = .cuda()
        case ("cuda", 2):
            guard let index = Int(parts[1]), index >= 0, index < 128 else { return nil }
            self = .cuda(index)
        default: return nil
        }
    }

    /// The form that is read back: `cpu`, `cuda:0` and so on.
    public var description: String { kind == .cuda ? "cuda:\(index)" : "\(kind)" }

    var raw: ct_device {
        ct_device(type: kind.rawValue, index: kind == .cuda ? Int8(index) : -1)
    }

    init(_ raw: ct_device) {
        self.init(Kind(rawValue: raw.type) ?? .cpu, index: Int(max(raw.index, 0)))
    }
}
