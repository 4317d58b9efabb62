import CTorch

/// A failure that libtorch reported.
public struct TorchError: Error, CustomStringConvertible, Sendable {
    /// What kind of failure it is.
    public enum Code: Sendable {
        /// An argument, a shape, a type or a state that the operation cannot work with.
        case invalid
        /// The device or the machine could not give the memory; smaller work may succeed.
        case outOfMemory
    }

    /// What kind of failure it is.
    public let code: Code
    /// The text of the C++ exception, without its backtrace.
    public let message: String

    /// Makes an error of the tensor layer itself.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

/// Turns a status of the C ABI into a Swift error.
@inline(__always)
package func check(_ status: Int32) throws(TorchError) {
    if status == Int32(CT_OK) { return }
    throw lastError(status)
}

@inline(never)
private func lastError(_ status: Int32) -> TorchError {
    let message = String(cString: ct_last_error())
    return TorchError(status == Int32(CT_OUT_OF_MEMORY) ? .outOfMemory : .invalid, message)
}
