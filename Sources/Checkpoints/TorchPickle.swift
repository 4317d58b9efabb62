import Foundation
import Torch

/// What PyTorch's description of a file of weights can hold.
///
/// A pickle is a program. This reader knows the few instructions and names that a table of tensors
/// needs, runs nothing, and refuses every other.
///
/// Source: Python's `pickletools`; `torch.save`, `torch._utils._rebuild_tensor_v2`.
indirect enum PickledValue {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case tuple([PickledValue])
    case list(PickledList)
    case table(PickledTable)
    case name(String)
    case storage(key: String, dtype: DType)
    case tensor(PickledTensor)
    case mark
}

/// A list that is still being filled while others point at it.
final class PickledList {
    var values: [PickledValue] = []
}

/// A table that is still being filled while others point at it; keys that are no texts are dropped.
final class PickledTable {
    var values: [String: PickledValue] = [:]
}

/// A tensor: which numbers of which storage.
struct PickledTensor {
    let storage: String
    let dtype: DType
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

struct TorchPickle {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private var offset = 0
    private var stack: [PickledValue] = []
    private var memo: [Int: PickledValue] = [:]

    /// Reads what `data.pkl` describes.
    ///
    /// - Throws: `CheckpointError` that names what it holds beside tables of tensors.
    static func value(_ bytes: UnsafeRawBufferPointer, file: String) throws -> PickledValue {
        var reader = TorchPickle(bytes: bytes, file: file)
        return try reader.run()
    }

    private init(bytes: UnsafeRawBufferPointer, file: String) {
        (self.bytes, self.file) = (bytes, file)
    }

    // MARK: - Bytes

    private func broken(_ what: String) -> CheckpointError {
        CheckpointError("\(file) is no table of tensors: \(what)")
    }

    private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - offset else {
            throw broken("its description is cut off")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    private mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Int {
        Int(Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: type)))
    }

    private mutating func text(_ count: Int) throws -> String {
        String(decoding: try take(count), as: UTF8.self)
    }

    private mutating func line() throws -> String {
        var line: [UInt8] = []
        while case let byte = try integer(UInt8.self), byte != 10 { line.append(UInt8(byte)) }
        return String(decoding: line, as: UTF8.self)
    }

    // MARK: - Stack

    private mutating func pop() throws -> PickledValue {
        guard let value = stack.popLast() else { throw broken("its description takes too much") }
        return value
    }

    /// What was pushed since the last mark.
    private mutating func popToMark() throws -> [PickledValue] {
        let place = stack.lastIndex { if case .mark = $0 { true } else { false } }
        guard let place else { throw broken("its description lacks a mark") }
        let values = Array(stack[(place + 1)...])
        stack.removeSubrange(place...)
        return values
    }

    private mutating func pop(tuple count: Int) throws {
        var values: [PickledValue] = []
        for _ in 0..<count { values.insert(try pop(), at: 0) }
        stack.append(.tuple(values))
    }

    // MARK: - Instructions

    private mutating func run() throws -> PickledValue {
        while true {
            let code = try integer(UInt8.self)
            if code == UInt8(ascii: ".") { return try pop() }
            if try pushes(code) || collects(code) || remembers(code) { continue }
            switch UInt8(code) {
            case 0x80: _ = try take(1)  // PROTO
            case 0x95: _ = try take(8)  // FRAME
            case UInt8(ascii: "c"): stack.append(.name("\(try line()).\(try line())"))
            case 0x93:  // STACK_GLOBAL
                guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                    throw broken("a name in it is no text")
                }
                stack.append(.name("\(module).\(name)"))
            case UInt8(ascii: "Q"):
                let value = try pop()
                stack.append(try storage(value))
            case UInt8(ascii: "R"):
                let arguments = try pop()
                let function = try pop()
                stack.append(try call(function, arguments))
            // BUILD: attributes of a table, such as its versions.
            case UInt8(ascii: "b"): _ = try pop()
            default:
                throw broken(String(format: "it has the instruction 0x%02x", code))
            }
        }
    }

    /// Instructions that push a plain value.
    private mutating func pushes(_ code: Int) throws -> Bool {
        switch UInt8(code) {
        case UInt8(ascii: "("): stack.append(.mark)
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.bool(true))
        case 0x89: stack.append(.bool(false))
        case UInt8(ascii: "K"): stack.append(.integer(try integer(UInt8.self)))
        case UInt8(ascii: "M"): stack.append(.integer(try integer(UInt16.self)))
        case UInt8(ascii: "J"): stack.append(.integer(try integer(Int32.self)))
        case 0x8A:  // LONG1
            let count = try integer(UInt8.self)
            guard count <= 8 else { throw broken("a number in it is too large") }
            var value: Int64 = 0
            let digits = try take(count)
            for (place, digit) in digits.enumerated() { value |= Int64(digit) << (8 * place) }
            if let last = digits.last, last >= 0x80, count < 8 { value -= 1 << (8 * count) }
            stack.append(.integer(Int(value)))
        case UInt8(ascii: "G"):
            let bits = UInt64(bigEndian: try take(8).loadUnaligned(as: UInt64.self))
            stack.append(.number(Double(bitPattern: bits)))
        case UInt8(ascii: "X"): stack.append(.text(try text(integer(UInt32.self))))
        case 0x8C: stack.append(.text(try text(integer(UInt8.self))))
        case UInt8(ascii: "}"): stack.append(.table(PickledTable()))
        case UInt8(ascii: "]"): stack.append(.list(PickledList()))
        case UInt8(ascii: ")"): stack.append(.tuple([]))
        default: return false
        }
        return true
    }

    /// Instructions that put values together.
    private mutating func collects(_ code: Int) throws -> Bool {
        switch UInt8(code) {
        case UInt8(ascii: "t"): stack.append(.tuple(try popToMark()))
        case 0x85...0x87: try pop(tuple: code - 0x84)
        case UInt8(ascii: "a"):
            let value = try pop()
            try append([value])
        case UInt8(ascii: "e"):
            let values = try popToMark()
            try append(values)
        case UInt8(ascii: "s"):
            let value = try pop()
            let key = try pop()
            try insert([key, value])
        case UInt8(ascii: "u"):
            let pairs = try popToMark()
            try insert(pairs)
        default: return false
        }
        return true
    }

    /// Instructions that keep a value, or bring one back.
    private mutating func remembers(_ code: Int) throws -> Bool {
        func kept(_ place: Int) throws -> PickledValue {
            guard let value = memo[place] else { throw broken("it recalls what it never kept") }
            return value
        }
        switch UInt8(code) {
        case UInt8(ascii: "q"): memo[try integer(UInt8.self)] = stack.last
        case UInt8(ascii: "r"): memo[try integer(UInt32.self)] = stack.last
        case 0x94: memo[memo.count] = stack.last
        case UInt8(ascii: "h"): stack.append(try kept(integer(UInt8.self)))
        case UInt8(ascii: "j"): stack.append(try kept(integer(UInt32.self)))
        default: return false
        }
        return true
    }

    private func append(_ values: [PickledValue]) throws {
        guard case .list(let list)? = stack.last else { throw broken("it fills what is no list") }
        list.values += values
    }

    private func insert(_ pairs: [PickledValue]) throws {
        guard case .table(let table)? = stack.last, pairs.count % 2 == 0 else {
            throw broken("it fills what is no table")
        }
        for at in stride(from: 0, to: pairs.count, by: 2) {
            if case .text(let key) = pairs[at] { table.values[key] = pairs[at + 1] }
        }
    }

    // MARK: - Names

    /// A storage: ('storage', its type, its file's name, a device, a count).
    private func storage(_ value: PickledValue) throws -> PickledValue {
        guard case .tuple(let parts) = value, parts.count >= 3,
            case .text("storage") = parts[0], case .name(let type) = parts[1],
            case .text(let key) = parts[2]
        else { throw broken("it points at something that is no storage") }
        guard let dtype = storageTypes[type] else { throw broken("it has numbers of type \(type)") }
        return .storage(key: key, dtype: dtype)
    }

    private func call(_ function: PickledValue, _ arguments: PickledValue) throws -> PickledValue {
        guard case .name(let name) = function, case .tuple(let values) = arguments else {
            throw broken("it calls what is no name")
        }
        switch name {
        case "collections.OrderedDict": return .table(PickledTable())
        case "torch._utils._rebuild_tensor_v2": return .tensor(try tensor(values))
        case "torch._utils._rebuild_parameter":
            guard let first = values.first else { break }
            return first
        default: break
        }
        throw CheckpointError(
            """
            \(file) wants to call \(name), which is not done: a file of weights holds tensors \
            alone, so save the model's state_dict() instead of the model
            """)
    }

    private func tensor(_ values: [PickledValue]) throws -> PickledTensor {
        guard values.count >= 4, case .storage(let key, let dtype) = values[0],
            case .integer(let offset) = values[1], offset >= 0,
            case .tuple(let shape) = values[2], case .tuple(let strides) = values[3],
            shape.count == strides.count
        else { throw broken("a tensor in it has no storage, shape and strides") }
        func integers(_ values: [PickledValue]) throws -> [Int] {
            try values.map {
                guard case .integer(let value) = $0, value >= 0, value < 1 << 40 else {
                    throw broken("a tensor in it has an impossible shape")
                }
                return value
            }
        }
        return PickledTensor(
            storage: key, dtype: dtype, offset: offset, shape: try integers(shape),
            strides: try integers(strides))
    }
}

/// PyTorch's names of types.
private let storageTypes: [String: DType] = [
    "torch.FloatStorage": .float32, "torch.HalfStorage": .float16,
    "torch.BFloat16Storage": .bfloat16, "torch.DoubleStorage": .float64,
    "torch.LongStorage": .int64, "torch.IntStorage": .int32, "torch.ShortStorage": .int16,
    "torch.CharStorage": .int8, "torch.ByteStorage": .uint8, "torch.BoolStorage": .bool,
]
