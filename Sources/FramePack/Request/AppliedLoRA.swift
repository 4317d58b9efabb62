/// A strength and the time from which it holds.
public struct TimedStrength: Hashable, Codable, Sendable {
    /// Where it begins, in seconds from the start of the video, above 0.
    public var seconds: Double
    /// The strength, -10 to 10.
    public var strength: Double

    /// Makes a timed strength.
    public init(seconds: Double, strength: Double) {
        (self.seconds, self.strength) = (seconds, strength)
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case seconds, strength
    }

    /// Reads a timed strength.
    ///
    /// - Throws: `FramePackError.unknownKey` for any other key.
    public init(from decoder: any Decoder) throws {
        try KnownKeys.check(
            decoder, within: "A timed strength", known: CodingKeys.allCases.map(\.rawValue))
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        seconds = try fields.decode(Double.self, forKey: .seconds)
        strength = try fields.decode(Double.self, forKey: .strength)
    }
}

/// A LoRA file, and how strongly it acts in the course of a video.
public struct AppliedLoRA: Hashable, Codable, Sendable {
    /// The path of a safetensors file.
    public var file: String
    /// How strongly it acts, -10 to 10: 1 is as trained, 0 is not at all.
    public var strength: Double
    /// Further strengths with the time from which they hold; a section has the one that holds
    /// longest in it.
    public var strengthAt: [TimedStrength]

    /// Makes a LoRA with its strengths.
    public init(_ file: String, strength: Double = 1, at strengthAt: [TimedStrength] = []) {
        (self.file, self.strength, self.strengthAt) = (file, strength, strengthAt)
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case file, strength, strengthAt
    }

    /// Reads a LoRA; without a strength it is 1.
    ///
    /// - Throws: `FramePackError.unknownKey` for any other key.
    public init(from decoder: any Decoder) throws {
        try KnownKeys.check(decoder, within: "A LoRA", known: CodingKeys.allCases.map(\.rawValue))
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try fields.decode(String.self, forKey: .file),
            strength: try fields.decodeIfPresent(Double.self, forKey: .strength) ?? 1,
            at: try fields.decodeIfPresent([TimedStrength].self, forKey: .strengthAt) ?? [])
    }

    /// All strengths by rising time, the first from 0 on.
    var timeline: [TimedStrength] {
        [TimedStrength(seconds: 0, strength: strength)]
            + strengthAt.sorted { $0.seconds < $1.seconds }
    }

    /// The strength that holds longest between two times; on a tie the earlier one.
    ///
    /// - Parameters:
    ///   - start: Where the section begins, in seconds.
    ///   - end: Where it ends, in seconds.
    public func strength(from start: Double, to end: Double) -> Double {
        let timeline = timeline
        return timeline[holdingLongest(timeline.map(\.seconds), from: start, to: end)].strength
    }

    /// The strengths in words: "0.8, 0.3 from 2.5 s on".
    var strengthText: String {
        let later = timeline.dropFirst().map {
            ", \(plainText($0.strength)) from \(plainText($0.seconds)) s on"
        }
        return plainText(strength) + later.joined()
    }

    /// Checks path and numbers; the file is not looked at.
    ///
    /// - Throws: `FramePackError` that names the file, its value and what it must be.
    func validate() throws(FramePackError) {
        guard !file.allSatisfy(\.isWhitespace) else {
            throw .invalidSetting(name: "lora", found: "empty", wanted: "the path of a file")
        }
        for timed in timeline {
            try SettingRange.check(
                "The strength of \(file)", timed.strength, in: GenerationRequest.Limits.loraStrength
            )
        }
        for timed in strengthAt where !(timed.seconds > 0 && timed.seconds.isFinite) {
            throw .invalidSetting(
                name: "A strength's time of \(file)", found: "\(plainText(timed.seconds)) s",
                wanted: "above 0 s; the one from the start is its strength")
        }
        for (earlier, later) in zip(timeline, timeline.dropFirst())
        where earlier.seconds == later.seconds {
            throw .conflictingSettings(
                "Two strengths of \(file) begin at \(plainText(later.seconds)) s; give them different "
                    + "times.")
        }
    }
}
