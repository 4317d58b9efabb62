/// A string that equals another only if both are the same scalars.
///
/// Swift's own strings are equal when they are canonically equivalent, and a vocabulary may
/// hold both forms of one letter as two tokens.
struct LiteralText: Hashable, Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    init(_ scalars: some Sequence<Unicode.Scalar>) {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        self.text = String(text)
    }

    static func == (a: LiteralText, b: LiteralText) -> Bool {
        a.text.utf8.elementsEqual(b.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable {
            hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isDone == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
        hasher.combine(UInt8(0xFF))
    }
}
