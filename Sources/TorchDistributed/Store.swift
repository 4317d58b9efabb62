import CTorch
import Torch

/// Keys and values that all processes of a group see.
final class Store: @unchecked Sendable {
    let handle: ct_store
    /// What all keys begin with, so that processes that are started again begin with none.
    let prefix: String

    /// Connects to the store of a launch, or serves it.
    ///
    /// - Parameter timeout: How long connecting and waiting for a key may take, in seconds.
    init(_ launch: ProcessLaunch, serves: Bool, timeout: Double) throws(TorchError) {
        prefix = "framepack/\(launch.attempt)/"
        var out: ct_store?
        try check(
            ct_store_open(&out, launch.host, launch.port, serves, Int64(timeout * 1000)))
        guard let out else { throw TorchError(.invalid, "libtorch gave no store") }
        handle = out
    }

    deinit { ct_store_free(handle) }

    func set(_ key: String, _ text: String) throws(TorchError) {
        try check(ct_store_set(handle, prefix + key, text))
    }

    func get(_ key: String) throws(TorchError) -> String {
        var bytes = [CChar](repeating: 0, count: 4096)
        try check(ct_store_get(handle, prefix + key, &bytes, Int64(bytes.count)))
        return String(
            decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @discardableResult
    func add(_ key: String, _ amount: Int) throws(TorchError) -> Int {
        var sum: Int64 = 0
        try check(ct_store_add(handle, prefix + key, Int64(amount), &sum))
        return Int(sum)
    }

    func contains(_ key: String) throws(TorchError) -> Bool {
        var found = false
        try check(ct_store_has(handle, prefix + key, &found))
        return found
    }
}
