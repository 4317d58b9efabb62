extension KeyedDecodingContainer {
    /// The value of a key, or what holds where the key is absent or null.
    func value<Value: Decodable>(_ key: Key, or other: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? other
    }

    /// Throws an error of decoding unless `problem` is nil.
    func check(_ problem: String?) throws {
        guard let problem else { return }
        throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: problem))
    }
}

/// What is wrong with sizes, by key: each must lie in 1...2²⁴, and the layers' number in 1...4096.
func sizeProblem(_ sizes: [(key: String, value: Int)], layers: Int) -> String? {
    for (key, value) in sizes where !(1...(1 << 24)).contains(value) {
        return "\(key) is \(value); it must be in 1...\(1 << 24)"
    }
    return (1...4096).contains(layers)
        ? nil : "num_hidden_layers is \(layers); it must be in 1...4096"
}

/// What is wrong with the number of heads.
func headProblem(hiddenSize: Int, headCount: Int) -> String? {
    hiddenSize % headCount == 0
        ? nil : "hidden_size \(hiddenSize) is not a multiple of num_attention_heads \(headCount)"
}

/// What is wrong with the patches of a picture.
func patchProblem(patchSize: Int, imageSize: Int) -> String? {
    patchSize <= imageSize
        ? nil : "patch_size \(patchSize) is larger than image_size \(imageSize)"
}

/// A name without the first of the prefixes that it has.
func withoutPrefix(_ name: String, _ prefixes: [String]) -> String {
    guard let prefix = prefixes.first(where: name.hasPrefix) else { return name }
    return String(name.dropFirst(prefix.count))
}
