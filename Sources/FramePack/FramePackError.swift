import Foundation

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

    /// A packing's name is none.
    case packingName(PackingNameError)

    /// The work was cancelled.
    case cancelled

    /// Memory did not suffice.
    ///
    /// - Parameters:
    ///   - place: What was done, as the beginning of "... needs more memory".
    ///   - reason: What libtorch said.
    case outOfMemory(place: String, reason: String)

    /// A request takes more memory than it may.
    case memoryBudget(MemoryShortage)

    /// The network gave NaN or infinite latents.
    ///
    /// - Parameters:
    ///   - section: The section in the order of generation, from 1.
    ///   - step: The step, from 1.
    case notFinite(section: Int, step: Int)

    /// A model folder lacks something or holds something unusable.
    case model(String)

    /// A job folder cannot be used.
    case job(String)

    /// A probe's input file does not fit the component.
    case probe(String)

    /// The error as one sentence that says what to do.
    public var description: String {
        switch self {
        case .invalidSetting(let name, let found, let wanted):
            "\(name) is \(found); it must be \(wanted)."
        case .conflictingSettings(let sentence), .malformedJSON(let sentence),
            .malformedTimeline(let sentence), .model(let sentence), .job(let sentence),
            .probe(let sentence):
            sentence
        case .packingName(let error): error.description
        case .cancelled: "The work was cancelled."
        case .memoryBudget(let shortage): shortage.description
        case .outOfMemory(let place, let reason):
            "\(place) needs more memory than there is; take a smaller size or window, add the "
                + "setting tiling, or close other programs (\(reason))."
        case .notFinite(let section, let step):
            "Section \(section) gave NaN or infinite latents at step \(step); take the dtype bf16 "
                + "or f32, and check the model's files."
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

/// A number with its unit, in the plural where that is due.
func counted(_ value: Double, _ unit: String) -> String {
    "\(plainText(value)) \(unit)\(value == 1 ? "" : "s")"
}

/// A number of things, in the plural where that is due.
package func counted(_ value: Int, _ thing: String) -> String {
    "\(value) \(thing)\(value == 1 ? "" : "s")"
}

/// A number with so many decimals.
func decimals(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
