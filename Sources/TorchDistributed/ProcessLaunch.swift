/// Which of several processes this one is, and where they meet.
///
/// Source: the variables of torchrun (`RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR`,
/// `MASTER_PORT`) and of Slurm's srun (`SLURM_PROCID`, `SLURM_NTASKS`, `SLURM_LOCALID`,
/// `SLURM_NODELIST`, `SLURM_JOB_ID`).
public struct ProcessLaunch: Equatable, Sendable {
    /// The number of this process, in 0 ..< ``size``.
    public var rank: Int
    /// The number of processes.
    public var size: Int
    /// The number of this process on its machine: which GPU is its own.
    public var localRank: Int
    /// The machine where the processes meet.
    public var host: String
    /// The port there.
    public var port: UInt16
    /// Whether the program that started the processes serves their store; else rank 0 does.
    public var isStoreServed = false
    /// Which start of the same processes it is, where they were started again.
    public var attempt = 0

    /// Names a process by hand.
    public init(rank: Int, size: Int, localRank: Int, host: String, port: UInt16) {
        (self.rank, self.size, self.localRank) = (rank, size, localRank)
        (self.host, self.port) = (host, port)
    }

    /// Where the processes meet, for messages.
    var place: String { "\(host):\(port)" }

    /// Reads what torchrun, Slurm or a user by hand set.
    ///
    /// - Parameter environment: The process's variables.
    /// - Returns: nil where none of the variables is set, or there is one process only.
    /// - Throws: `DistributedError` that names the variable that is missing or wrong.
    public init?(environment: [String: String]) throws {
        let values = Variables(environment)
        let launch: ProcessLaunch
        if values.contains(anyOf: ["RANK", "WORLD_SIZE"]) {
            launch = try ProcessLaunch(torchrun: values)
        } else if values.contains(anyOf: ["SLURM_PROCID"]) {
            launch = try ProcessLaunch(slurm: values)
        } else if values.contains(anyOf: ["LOCAL_RANK"]) {
            throw DistributedError("LOCAL_RANK is set and RANK is not; set RANK, or unset it")
        } else {
            return nil
        }
        guard launch.size > 1 else { return nil }
        self = launch
    }

    private init(torchrun values: Variables) throws {
        let size = try values.number("WORLD_SIZE", in: 1...1_000_000)
        let rank = try values.number("RANK", in: 0...size - 1)
        let isAlone = size == 1
        self.init(
            rank: rank, size: size,
            localRank: try values.optionalNumber("LOCAL_RANK", in: 0...size - 1) ?? rank,
            host: isAlone ? "" : try values.text("MASTER_ADDR"),
            port: isAlone ? 0 : UInt16(try values.number("MASTER_PORT", in: 1...65535)))
        isStoreServed = values["TORCHELASTIC_USE_AGENT_STORE"] == "True"
        attempt = try values.optionalNumber("TORCHELASTIC_RESTART_COUNT", in: 0...1_000_000) ?? 0
    }

    private init(slurm values: Variables) throws {
        let size = try values.number("SLURM_NTASKS", in: 1...1_000_000)
        let isAlone = size == 1
        let host =
            try isAlone
            ? "" : values["MASTER_ADDR"] ?? Self.firstHost(values.text("SLURM_NODELIST"))
        self.init(
            rank: try values.number("SLURM_PROCID", in: 0...size - 1), size: size,
            localRank: try values.number("SLURM_LOCALID", in: 0...size - 1), host: host,
            port: isAlone ? 0 : try Self.slurmPort(values))
    }

    /// A port of their own for each job of a machine.
    private static func slurmPort(_ values: Variables) throws -> UInt16 {
        if let port = try values.optionalNumber("MASTER_PORT", in: 1...65535) {
            return UInt16(port)
        }
        let job = try values.optionalNumber("SLURM_JOB_ID", in: 0...Int.max) ?? 0
        return UInt16(20000 + job % 20000)
    }

    /// The first machine of a list in Slurm's short form: `gpu[03-07,11],big2` begins at `gpu03`.
    static func firstHost(_ list: String) throws -> String {
        guard let bracket = list.firstIndex(of: "["),
            !list[..<bracket].contains(",")
        else { return String(list.prefix { $0 != "," }) }
        guard let end = list[bracket...].firstIndex(of: "]") else {
            throw DistributedError(
                "SLURM_NODELIST is \(list), whose bracket does not close; set MASTER_ADDR")
        }
        let inside = list[list.index(after: bracket)..<end]
        let number = inside.prefix { $0 != "-" && $0 != "," }
        let suffix = list[list.index(after: end)...].prefix { $0 != "," }
        return "\(list[..<bracket])\(number)\(suffix)"
    }
}

/// The variables of a process; an empty one counts as not set.
private struct Variables {
    private let values: [String: String]

    init(_ environment: [String: String]) { values = environment.filter { !$1.isEmpty } }

    subscript(name: String) -> String? { values[name] }

    func contains(anyOf names: [String]) -> Bool { names.contains { values[$0] != nil } }

    func text(_ name: String) throws -> String {
        guard let value = values[name] else {
            let known = [
                "RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "SLURM_PROCID", "SLURM_NTASKS",
            ]
            throw DistributedError(
                """
                \(name) is not set, but \(known.filter { values[$0] != nil }.joined(separator: ", ")) \
                \(known.filter { values[$0] != nil }.count == 1 ? "is" : "are"); set \(name) too, \
                or unset them to train in one process
                """)
        }
        return value
    }

    func number(_ name: String, in range: ClosedRange<Int>) throws -> Int {
        let value = try text(name)
        guard let number = Int(value), range.contains(number) else {
            throw DistributedError(
                """
                \(name) is \(value); it must be a whole number from \(range.lowerBound) to \
                \(range.upperBound)
                """)
        }
        return number
    }

    func optionalNumber(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        values[name] == nil ? nil : try number(name, in: range)
    }
}
