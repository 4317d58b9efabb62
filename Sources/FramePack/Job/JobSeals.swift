import Checkpoints
import Foundation

/// Checksums of a job's finished files, by which a file that was changed or cut is noticed.
///
/// `checksums.txt` has a line for each file, the checksum and the name; of several lines of one
/// name the last counts, and a line that a crash cut off counts for nothing.
struct JobSeals {
    static let name = "checksums.txt"

    private let folder: URL
    private var sums: [String: String] = [:]

    /// Reads what a job's folder has.
    init(_ folder: URL) {
        self.folder = folder
        let file = folder.appendingPathComponent(Self.name)
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return }
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { sums[String(parts[1])] = String(parts[0]) }
        }
    }

    /// Notes the checksum of a file that is finished.
    mutating func seal(_ name: String) throws {
        guard let sum = checksum(name) else { return }
        try AtomicFile.append(
            Data("\(sum) \(name)\n".utf8), to: folder.appendingPathComponent(Self.name))
        sums[name] = sum
    }

    /// Whether a file is there, just as it was finished.
    func isWhole(_ name: String) -> Bool {
        sums[name].map { $0 == checksum(name) } ?? false
    }

    private func checksum(_ name: String) -> String? {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else {
            return nil
        }
        var sum = Fingerprint()
        sum.add(data)
        return sum.text
    }
}
