import Checkpoints
import Foundation

/// Safetensors files made byte by byte, so that they can lie.
enum SafetensorsFiles {
    /// A header's length, the header, and the data behind it.
    static func bytes(header: String, data: Int, length: UInt64? = nil) -> Data {
        let json = Data(header.utf8)
        var file = withUnsafeBytes(of: (length ?? UInt64(json.count)).littleEndian) { Data($0) }
        file.append(json)
        file.append(Data((0..<data).map { UInt8(truncatingIfNeeded: $0 + 1) }))
        return file
    }

    /// One entry of a header.
    static func entry(_ name: String, _ type: String, _ shape: String, _ start: Int, _ end: Int)
        -> String
    {
        """
        "\(name)": {"dtype": "\(type)", "shape": \(shape), "data_offsets": [\(start), \(end)]}
        """
    }

    /// The text of the error that `body` throws; empty if it throws none.
    static func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }
}
