import Foundation

/// The golden schedules and trajectories, read without tensors.
struct ScheduleGolden {
    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private let header: [String: Entry]
    private let bytes: Data

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/sched/cases.safetensors")
        let data = try Data(contentsOf: file)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let all = try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length))
        guard var object = all as? [String: Any] else { throw Missing(description: "no header") }
        object["__metadata__"] = nil
        header = try JSONDecoder().decode(
            [String: Entry].self, from: JSONSerialization.data(withJSONObject: object))
        bytes = Data(data.dropFirst(8 + length))
    }

    /// The numbers of a float32 tensor.
    func floats(_ name: String) throws -> [Float] {
        guard let entry = header[name], entry.dtype == "F32" else {
            throw Missing(description: "no float32 tensor \(name)")
        }
        let range = entry.data_offsets[0]..<entry.data_offsets[1]
        return stride(from: range.lowerBound, to: range.upperBound, by: 4).map { offset in
            let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) }
            return Float(bitPattern: word)
        }
    }

    /// The rows of a tensor along its first axis.
    func rows(_ name: String) throws -> [[Float]] {
        let all = try floats(name)
        let count = header[name]?.shape.first ?? 1
        let width = all.count / count
        return (0..<count).map { Array(all[($0 * width)..<(($0 + 1) * width)]) }
    }
}

/// The largest difference of two lists; infinite where their lengths differ.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}
