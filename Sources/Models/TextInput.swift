import Torch

/// Token ids and their mask, checked and read once.
struct TextInput {
    let batch: Int
    let length: Int
    /// Row after row.
    let ids: [Int64]

    /// Checks `input_ids` `(B, T)` against the size of a vocabulary.
    init(_ inputIDs: Tensor, vocabularySize: Int) throws {
        guard inputIDs.rank == 2, inputIDs.count > 0 else {
            throw ModelError(
                """
                input_ids has the shape \(inputIDs.shape); wanted are two axes, (batch, tokens), \
                neither of them empty
                """)
        }
        guard !inputIDs.dtype.isFloatingPoint, inputIDs.dtype != .bool else {
            throw ModelError("input_ids is \(inputIDs.dtype); token ids are int64")
        }
        (batch, length) = (inputIDs.dim(0), inputIDs.dim(1))
        ids = try inputIDs.array(Int64.self)
        if let place = ids.firstIndex(where: { $0 < 0 || $0 >= Int64(vocabularySize) }) {
            throw ModelError(
                """
                input_ids holds the token id \(ids[place]) in row \(place / length) at position \
                \(place % length); the vocabulary ends at \(vocabularySize - 1)
                """)
        }
    }

    /// Checks that `attention_mask` `(B, T)` holds ones, then zeros, in each row.
    ///
    /// Only then does looking backwards alone keep real tokens apart from padding.
    func checkRightPadded(_ mask: Tensor) throws {
        guard mask.shape == [batch, length] else {
            throw ModelError(
                """
                attention_mask has the shape \(mask.shape); input_ids has \([batch, length]), \
                and both must be the same
                """)
        }
        let values = try mask.array(Double.self)
        if let wrong = values.first(where: { $0 != 0 && $0 != 1 }) {
            throw ModelError("attention_mask holds \(wrong); wanted are 0 and 1 alone")
        }
        for row in 0..<batch {
            let real = values[(row * length)..<((row + 1) * length)]
            guard let gap = real.firstIndex(of: 0) else { continue }
            if let after = real[gap...].firstIndex(of: 1) {
                throw ModelError(
                    """
                    attention_mask has a 0 at position \(gap - row * length) of row \(row) and a \
                    1 at \(after - row * length); pad on the right only, so that all ones come \
                    first
                    """)
            }
        }
    }
}
