public import Foundation
public import Torch

/// A file of weights as `torch.save` writes it (`.pth`, `.pt`), mapped into memory.
///
/// Only tables of tensors are read; whatever else the file wants to make is refused, and nothing of
/// it is run. A table within a table, such as `{"state_dict": {...}}`, gives its names with dots;
/// a lone table of tensors counts as the file itself.
public final class TorchFile {
    /// Where the file lies.
    public let url: URL
    private let file: MappedFile
    private let storages: [String: Range<Int>]
    private let entries: [String: PickledTensor]

    /// Opens a file and reads what it describes; no tensor is read yet.
    ///
    /// - Throws: `CheckpointError` if it is no whole file of PyTorch 1.6 or later, or holds more
    ///   than tensors.
    public init(_ url: URL) throws {
        self.url = url
        let mapped = try MappedFile(url)
        file = mapped
        let bytes = UnsafeRawBufferPointer(mapped.bytes)
        guard bytes.count > 4, bytes.loadUnaligned(as: UInt32.self).littleEndian == 0x0403_4B50
        else {
            throw CheckpointError(
                """
                \(url.path) is no archive of PyTorch 1.6 or later; write it anew with \
                torch.save(torch.load(FILE, weights_only=True), FILE)
                """)
        }
        let archive = try ZipArchive(bytes, file: url.path)
        guard let description = archive.entries.keys.first(where: { $0.hasSuffix("/data.pkl") })
        else { throw CheckpointError("\(url.path) is an archive without data.pkl, not PyTorch's") }
        let root = description.dropLast("data.pkl".count)
        if let order = archive.entries["\(root)byteorder"],
            String(decoding: bytes[order], as: UTF8.self) != "little"
        {
            throw CheckpointError("\(url.path) has its numbers' bytes in the other order")
        }
        storages = Dictionary(
            uniqueKeysWithValues: archive.entries.filter { $0.key.hasPrefix("\(root)data/") }
                .map { (String($0.key.dropFirst(root.count + "data/".count)), $0.value) })
        let range = archive.entries[description] ?? 0..<0
        let value = try TorchPickle.value(
            UnsafeRawBufferPointer(rebasing: bytes[range]), file: url.path)
        guard case .table(let table) = value else {
            throw CheckpointError("\(url.path) holds no table of tensors")
        }
        entries = Self.flattened(Self.unwrapped(table, depth: 0), depth: 0)
        guard !entries.isEmpty else { throw CheckpointError("\(url.path) holds no tensor") }
        for (name, entry) in entries { try check(name, entry) }
    }

    /// The names in the file, sorted.
    public var names: [String] { entries.keys.sorted() }

    /// The shape of a tensor; nil where there is none of that name.
    public func shape(of name: String) -> [Int]? { entries[name]?.shape }

    /// A tensor: on the mapped bytes where its numbers lie one after the other, else a copy.
    ///
    /// - Throws: `CheckpointError` if the file has no such tensor.
    public func tensor(_ name: String) throws -> Tensor {
        guard let entry = entries[name], let storage = storages[entry.storage] else {
            throw CheckpointError("\(url.path) has no tensor \(name)")
        }
        guard let base = file.bytes.baseAddress, !entry.shape.contains(0) else {
            return try .empty(entry.shape, dtype: entry.dtype)
        }
        let start = base + storage.lowerBound + entry.offset * entry.dtype.size
        guard entry.isContiguous, Int(bitPattern: start) % entry.dtype.size == 0 else {
            let copy = try Tensor.empty(entry.shape, dtype: entry.dtype)
            try copy.withMutableBytes { entry.copy(from: start, to: $0) }
            return copy
        }
        return try .borrowing(start, entry.shape, dtype: entry.dtype, owner: file)
    }

    /// How many tables may lie in each other; a harmed file's may lie in themselves.
    private static let deepest = 8

    /// The innermost table, where the outer ones hold nothing but it and no tensors.
    private static func unwrapped(_ table: PickledTable, depth: Int) -> PickledTable {
        let tables = table.values.values.compactMap { value in
            if case .table(let inner) = value, !inner.values.isEmpty { inner } else { nil }
        }
        let hasTensors = table.values.values.contains {
            if case .tensor = $0 { true } else { false }
        }
        guard tables.count == 1, !hasTensors, depth < deepest else { return table }
        return unwrapped(tables[0], depth: depth + 1)
    }

    private static func flattened(_ table: PickledTable, _ prefix: String = "", depth: Int)
        -> [String: PickledTensor]
    {
        table.values.reduce(into: [:]) { found, pair in
            switch pair.value {
            case .tensor(let tensor): found[prefix + pair.key] = tensor
            case .table(let inner) where depth < deepest:
                found.merge(flattened(inner, "\(prefix)\(pair.key).", depth: depth + 1)) {
                    first, _ in first
                }
            default: break
            }
        }
    }

    /// Holds a tensor against the bytes that its storage has.
    private func check(_ name: String, _ entry: PickledTensor) throws {
        guard let storage = storages[entry.storage] else {
            throw CheckpointError("\(url.path) lacks the numbers of \(name)")
        }
        var (last, count) = (entry.offset, 1)
        for (length, stride) in zip(entry.shape, entry.strides) where length > 0 {
            let (span, spanOverflow) = (length - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflow) = last.addingReportingOverflow(span)
            let (product, countOverflow) = count.multipliedReportingOverflow(by: length)
            guard !spanOverflow, !sumOverflow, !countOverflow, product < 1 << 40 else {
                throw CheckpointError("\(url.path): \(name) has an impossible shape")
            }
            (last, count) = (sum, product)
        }
        guard entry.shape.contains(0) || last < storage.count / entry.dtype.size else {
            throw CheckpointError(
                """
                \(url.path): \(name) of shape \(entry.shape) goes on after the end of its \
                \(storage.count) bytes
                """)
        }
    }
}

extension PickledTensor {
    /// Whether its numbers lie one after the other.
    var isContiguous: Bool {
        var wanted = 1
        for (length, stride) in zip(shape, strides).reversed() {
            if length != 1 && stride != wanted { return false }
            wanted *= length
        }
        return true
    }

    /// Copies its numbers into their usual order.
    func copy(from start: UnsafeMutableRawPointer, to target: UnsafeMutableRawBufferPointer) {
        let size = dtype.size
        var place = [Int](repeating: 0, count: shape.count)
        for at in stride(from: 0, to: target.count, by: size) {
            let source = zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 } * size
            target.baseAddress?.advanced(by: at).copyMemory(from: start + source, byteCount: size)
            for axis in shape.indices.reversed() {
                place[axis] += 1
                if place[axis] < shape[axis] { break }
                place[axis] = 0
            }
        }
    }
}
