import Foundation

/// What `framepack inspect` says of a checkpoint; its JSON form is this type.
public struct CheckpointReport: Codable, Equatable, Sendable {
    /// One file of weights.
    public struct File: Codable, Equatable, Sendable {
        /// The file's name.
        public let name: String
        /// Its size.
        public let bytes: Int
        /// Its tensors.
        public let tensors: Int
    }

    /// How many numbers are stored in a type.
    public struct TypeCount: Codable, Equatable, Sendable {
        /// The type, such as bfloat16 or Q4_K.
        public let type: String
        /// Tensors of that type.
        public let tensors: Int
        /// Numbers in them.
        public let numbers: Int
        /// Bytes that they take.
        public let bytes: Int
    }

    /// A tensor whose shape is not the configuration's.
    public struct Misshapen: Codable, Equatable, Sendable {
        /// The tensor.
        public let name: String
        /// Its shape.
        public let found: [Int]
        /// The shape that its layer needs.
        public let wanted: [Int]
    }

    /// Where it lies.
    public let path: String
    /// `folder`, `safetensors`, `gguf`.
    public let format: String
    /// The class that the configuration names, or LoRA and its like for such a file; nil for another
    /// file alone.
    public var className: String?
    /// What the class is here: transformer, vae, llama, clip or siglip.
    public var network: NetworkKind?
    /// The sizes of `config.json`, or the metadata of a file.
    public var settings: [String: String] = [:]
    /// The files of weights.
    public var files: [File] = []
    /// Numbers in all tensors.
    public var parameters: Int = 0
    /// The types, the most frequent first.
    public var types: [TypeCount] = []
    /// Tensors that the configuration calls for and no file has.
    public var missing: [String] = []
    /// Tensors that no layer reads.
    public var unexpected: [String] = []
    /// Tensors of another shape than their layer needs.
    public var misshapen: [Misshapen] = []
    /// Tensors that are known and passed over, such as a language model's head.
    public var passedOver: [String] = []

    init(path: String, format: String) { (self.path, self.format) = (path, format) }

    /// Whether the weights are those that the configuration calls for.
    public var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty }

    /// The report as text.
    public var text: String {
        var lines = ["\(path)"]
        func line(_ label: String, _ value: String) {
            lines.append("  " + label.padding(toLength: 14, withPad: " ", startingAt: 0) + value)
        }
        if let className { line("class", className + (network.map { " (\($0.rawValue))" } ?? "")) }
        line("format", format)
        for file in files {
            line(
                "file", "\(file.name), \(Self.size(file.bytes)), \(counted(file.tensors, "tensor"))"
            )
        }
        line("parameters", Self.grouped(parameters))
        for type in types {
            line(
                "type", "\(type.type): \(counted(type.tensors, "tensor")), \(Self.size(type.bytes))"
            )
        }
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) { line("", "\(key) \(value)") }
        return (lines + differences).joined(separator: "\n")
    }

    private var differences: [String] {
        guard network != nil else { return [] }
        var lines: [String] = []
        func list(_ label: String, _ names: [String]) {
            lines.append("  \(label): \(names.isEmpty ? "none" : "\(names.count)")")
            lines += names.prefix(20).map { "    \($0)" }
            if names.count > 20 { lines.append("    and \(names.count - 20) more") }
        }
        list("missing", missing)
        list("unexpected", unexpected)
        list("misshapen", misshapen.map { "\($0.name) is \($0.found), wanted is \($0.wanted)" })
        if !passedOver.isEmpty { list("not needed", passedOver) }
        return lines
    }

    package static func size(_ bytes: Int) -> String {
        let units = ["B", "kB", "MB", "GB"]
        var (value, unit) = (Double(bytes), 0)
        while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        return unit == 0 ? "\(bytes) B" : String(format: "%.2f %@", value, units[unit])
    }

    static func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        return digits.enumerated().map { index, digit in
            (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digit)
        }.joined()
    }
}
