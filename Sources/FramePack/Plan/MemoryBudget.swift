/// How much memory a run may take, in bytes.
public struct MemoryBudget: Equatable, Codable, Sendable {
    /// Of the GPU, everything of this process counted; nil for what is free.
    public var device: Int?
    /// Of the machine, pages of files not counted, as the system takes those back by itself; nil for
    /// what is available.
    public var machine: Int?

    /// A budget; what is nil is bounded by what is free alone.
    public init(device: Int? = nil, machine: Int? = nil) {
        (self.device, self.machine) = (device, machine)
    }

    /// Reads an amount: 6GB, 800MB or 6GiB; nil if it is none.
    ///
    /// MB and GB count in thousands, MiB and GiB in powers of 1024; letters may be small.
    public static func bytes(_ text: String) -> Int? {
        let units = [("GIB", 1_073_741_824.0), ("MIB", 1_048_576), ("GB", 1e9), ("MB", 1e6)]
        let upper = text.uppercased()
        guard let (unit, size) = units.first(where: { upper.hasSuffix($0.0) }),
            let number = Double(upper.dropLast(unit.count)), number > 0, number < 1e6
        else { return nil }
        return Int(number * size)
    }

    /// An amount as it is told: 1.25 GiB.
    static func text(_ bytes: Int) -> String {
        "\(decimals(Double(bytes) / 1_073_741_824, 2)) GiB"
    }
}

/// Why a request cannot be run within a budget.
public struct MemoryShortage: Error, Equatable, Sendable, CustomStringConvertible {
    /// What takes the most.
    public let stage: Stage
    /// Whether it is the GPU's memory, not the machine's.
    public let isDevice: Bool
    /// The least that it takes, in bytes.
    public let needed: Int
    /// What it may take, in bytes.
    public let budget: Int
    /// Settings that would fit, as the command line has them.
    public var remedies: [String] = []

    /// The shortage as sentences.
    public var description: String {
        let (memory, option) = isDevice ? ("GPU memory", "--vram") : ("RAM", "--ram")
        let advice =
            remedies.isEmpty
            ? "No smaller setting would fit either; allow more."
            : "It would fit with \(remedies.joined(separator: ", or with "))."
        return "\(stage.place) takes \(MemoryBudget.text(needed)) of \(memory) at the least, and "
            + "\(option) allows \(MemoryBudget.text(budget)). \(advice)"
    }
}

extension Stage {
    /// The stage as the beginning of a sentence.
    var place: String {
        switch self {
        case .encodeText: "Encoding the prompt"
        case .encodeImage: "Encoding the picture"
        case .sample: "Sampling"
        case .decode: "Decoding"
        case .write: "Writing"
        }
    }
}
