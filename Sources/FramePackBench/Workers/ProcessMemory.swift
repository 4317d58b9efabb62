import Foundation

/// The memory of a process, as Linux tells it.
package struct ProcessMemory: Equatable {
    /// The most that was resident, in bytes, pages of files among them.
    package let peakResident: Int
    /// Resident now, in bytes, pages of files among it; nil if the text does not say.
    package let resident: Int?
    /// Resident now and of no file, in bytes: what the machine must have for this process alone.
    package let anonymous: Int

    /// Reads the text of `/proc/PID/status`; nil if it lacks a figure.
    package init?(status: String) {
        func bytes(_ key: String) -> Int? {
            let line = status.split(separator: "\n").first { $0.hasPrefix("\(key):") }
            let words = line?.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words?.dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
        }
        guard let peak = bytes("VmHWM"), let anonymous = bytes("RssAnon") else { return nil }
        (peakResident, resident, self.anonymous) = (peak, bytes("VmRSS"), anonymous)
    }

    /// The memory of a process; nil where the system does not tell.
    static func of(_ id: Int32) -> ProcessMemory? {
        (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8))
            .flatMap(ProcessMemory.init(status:))
    }

    /// This process's memory; nil where the system does not tell.
    static func current() -> ProcessMemory? { of(getpid()) }
}
