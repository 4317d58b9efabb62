/// What can go wrong between a request and its video, each said in a full sentence.
public enum FramePackError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A setting has a value that it cannot have.
    ///
    /// - Parameters:
    ///   - name: The setting, spelled as in JSON.
    ///   - found: Its value.
    ///   - wanted: What it must be, as the end of "it must be ...".
    case invalidSetting(name: String, found: String, wanted: String)

    /// Two settings, or a setting and its absence, do not go together.
    case conflictingSettings(String)

    /// A JSON object has a key that nothing reads.
    case unknownKey(String, within: String, nearest: String?)

    /// A text is not the JSON that was expected.
    case malformedJSON(String)

    /// A prompt's time marks cannot be read.
    case malformedTimeline(String)

    /// The error as one sentence that says what to do.
    public var description: String {
        switch self {
        case .invalidSetting(let name, let found, let wanted):
            "\(name) is \(found); it must be \(wanted)."
        case .conflictingSettings(let sentence), .malformedJSON(let sentence),
            .malformedTimeline(let sentence):
            sentence
        case .unknownKey(let key, let within, let nearest):
            "\(within) has no setting \"\(key)\""
                + (nearest.map { "; the nearest is \"\($0)\"." } ?? ".")
        }
    }
}

/// A number as people write it: no fraction where there is none.
func plainText(_ value: Double) -> String {
    if let whole = Int(exactly: value) { return String(whole) }
    return String(value)
}
