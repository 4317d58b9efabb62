import Foundation

/// What the machine's processors have done since it was started, in seconds of one processor.
package struct MachineTimes: Equatable {
    /// Spent on programs and the system.
    package let busy: Double
    /// Taken by other guests of the same host.
    package let stolen: Double
    /// All that there was, idle time too.
    package let total: Double

    /// Reads the text of `/proc/stat`; nil if it has no line of all processors.
    package init?(stat: String, ticksPerSecond: Double) {
        guard let line = stat.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") })
        else { return nil }
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is in user already.
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count == 8 else { return nil }
        busy = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ticksPerSecond
        stolen = ticks[7] / ticksPerSecond
        total = ticks.reduce(0, +) / ticksPerSecond
    }

    /// The machine's own; nil where the system does not tell.
    static func current() -> MachineTimes? {
        (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)).flatMap {
            MachineTimes(stat: $0, ticksPerSecond: ticksPerSecond)
        }
    }

    /// The unit of the kernel's figures.
    static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
}

/// What one process has had of the processors, in seconds.
package enum ProcessTime {
    /// Reads the text of `/proc/PID/stat`; nil if it is none.
    package static func seconds(stat: String, ticksPerSecond: Double) -> Double? {
        // The second field is the program's name, which may hold anything.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12])
        else { return nil }
        return (user + system) / ticksPerSecond
    }

    /// The time of a process; nil where the system does not tell.
    static func of(_ id: Int32) -> Double? {
        (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)).flatMap {
            seconds(stat: $0, ticksPerSecond: MachineTimes.ticksPerSecond)
        }
    }
}

/// What others had of the processors while something was measured.
package struct Interference: Codable, Equatable {
    /// Seconds of other processes, and of other guests of the host.
    package let others: Double
    /// Seconds that there were in all.
    package let available: Double

    /// The part of the processors' time that others took.
    package var share: Double { available > 0 ? others / available : 0 }

    /// Whether it was enough to matter: more than a twentieth, and more than the kernel's clock
    /// can mistake.
    package var isDisturbance: Bool { share > 0.05 && others > 0.05 }

    /// Compares two readings.
    ///
    /// - Parameter own: Seconds that the benchmark's own processes had between them.
    package init(from before: MachineTimes, to after: MachineTimes, own: Double) {
        let busy = after.busy - before.busy + after.stolen - before.stolen
        others = max(0, busy - own)
        available = max(0, after.total - before.total)
    }
}

/// Takes a reading when it is made, and another when it is asked.
struct InterferenceMeter {
    private let processes: [Int32]
    private let machine: MachineTimes?
    private let own: Double

    /// - Parameter workers: The processes that are measured; this one is among them anyway.
    init(workers: [Int32]) {
        processes = workers + [getpid()]
        machine = MachineTimes.current()
        own = processes.reduce(0) { $0 + (ProcessTime.of($1) ?? 0) }
    }

    /// What others had since; nil where the system does not tell.
    ///
    /// - Parameter further: Seconds of own processes that did not exist at the first reading.
    func reading(further: Double = 0) -> Interference? {
        guard let machine, let now = MachineTimes.current() else { return nil }
        let ownNow = processes.reduce(0) { $0 + (ProcessTime.of($1) ?? 0) }
        return Interference(from: machine, to: now, own: ownNow - own + further)
    }
}
