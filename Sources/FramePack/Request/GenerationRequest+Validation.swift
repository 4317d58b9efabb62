import Media

extension GenerationRequest {
    /// Checks every field against its range, and the fields against each other.
    ///
    /// - Throws: `FramePackError` that names the field, its value and what it must be. Files are
    ///   not looked at.
    public func validate() throws(FramePackError) {
        try validateTexts()
        try validateLength()
        try validateSize()
        try validateSampling()
        try validatePaths()
        let format = try outputFormat()
        guard format != .gif || fps <= highestGIFRate else {
            throw .conflictingSettings(
                "A GIF shows \(highestGIFRate) frames a second at most, fps is \(fps); take a lower "
                    + "fps, or WebP.")
        }
        guard !parity || weightFormat == .stored else {
            throw .conflictingSettings(
                "parity gives the reference's numbers, which weightFormat \(weightFormat.rawValue) "
                    + "rounds; use one of them.")
        }
        guard decode != .streaming || !tiling else {
            throw .conflictingSettings(
                "tiling does not go with decode streaming, which has no tiles; use one of them.")
        }
    }

    private func validateTexts() throws(FramePackError) {
        try Self.checkText("prompt", prompt)
        try Self.checkText("negativePrompt", negativePrompt)
        for timed in promptAt { try Self.checkText("promptAt", timed.text) }
        _ = try timeline()
    }

    private func validateLength() throws(FramePackError) {
        guard seconds == nil || frames == nil else {
            throw .conflictingSettings("seconds and frames are both given; give one of them.")
        }
        try length.validate()
        try SettingRange.check("fps", fps, in: Limits.fps)
        try SettingRange.check("window", window, in: Limits.window)
        let usual = GenerationRequest(prompt: "").window
        // The usual window may be the model's rather than the user's.
        if window != usual { try checkPacking(generates: window) }
    }

    /// Checks that a window that was asked for is the packing's, if there is one.
    package func checkPacking(generates window: Int) throws(FramePackError) {
        guard let packing, packing.window != window else { return }
        throw .conflictingSettings(
            "window is \(window), and the packing \(packing) generates \(packing.window); leave "
                + "one of them out.")
    }

    private func validateSize() throws(FramePackError) {
        if let resolution {
            guard height == nil, width == nil else {
                throw .conflictingSettings(
                    "resolution does not go with height and width; give one or the other.")
            }
            try SettingRange.check("resolution", resolution, in: Limits.resolution)
        }
        _ = try explicitSize()
    }

    private func validateSampling() throws(FramePackError) {
        try SettingRange.check("seed", seed, in: Limits.seed)
        try SettingRange.check("steps", steps, in: Limits.steps)
        try SettingRange.check(
            "historyTimeWeight", historyTimeWeight, in: Limits.historyTimeWeight)
        guard endpoint.isEmpty || order == nil || order == .planned else {
            throw .conflictingSettings(
                "endpoint goes with the order planned, and the order is "
                    + "\(order?.rawValue ?? "").")
        }
        for planned in endpoint {
            guard let text = planned.text else { continue }
            try Self.checkText("endpoint", text)
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .malformedTimeline(
                    "The endpoint at \(plainText(planned.seconds)) s has an empty prompt; write one, "
                        + "or leave out the colon.")
            }
        }
        if let shift { try SettingRange.check("shift", shift, in: Limits.shift) }
        try SettingRange.check("guidance", guidance, in: Limits.guidance)
        try SettingRange.check("cfg", cfg, in: Limits.cfg)
        try SettingRange.check("guidanceRescale", guidanceRescale, in: Limits.guidanceRescale)
        if let threshold { try SettingRange.check("threshold", threshold, in: Limits.threshold) }
        try SettingRange.check("contextRefresh", contextRefresh, in: Limits.contextRefresh)
        try SettingRange.check("crf", crf, in: Limits.crf)
    }

    private func validatePaths() throws(FramePackError) {
        let paths = [
            ("image", image), ("endImage", endImage), ("model", model), ("output", output),
        ]
        for (name, path) in paths where path?.allSatisfy(\.isWhitespace) == true {
            throw .invalidSetting(name: name, found: "empty", wanted: "the path of a file")
        }
        for one in lora { try one.validate() }
        if let order = effectiveOrder, endImage != nil, !order.seesLater {
            throw .conflictingSettings(
                "endImage does not go with the order \(order.rawValue), which never sees what "
                    + "comes later; use the order inverted.")
        }
    }

    private static func checkText(_ name: String, _ text: String) throws(FramePackError) {
        let words = text.split(whereSeparator: \.isWhitespace).count
        guard words <= Limits.words.upperBound else {
            throw .invalidSetting(
                name: name, found: "\(words) words long",
                wanted: "at most \(Limits.words.upperBound) words; the networks read some 200")
        }
        guard text.count <= Limits.characters.upperBound else {
            throw .invalidSetting(
                name: name, found: "\(text.count) characters long",
                wanted: "at most \(Limits.characters.upperBound) characters")
        }
        let layout: Set<Unicode.Scalar> = ["\n", "\r", "\t"]
        for scalar in text.unicodeScalars
        where scalar.properties.generalCategory == .control && !layout.contains(scalar) {
            let number = String(scalar.value, radix: 16, uppercase: true)
            throw .invalidSetting(
                name: name, found: "a text with the control character U+\(number)",
                wanted: "plain text")
        }
        // What a command line's bytes become where they are no text.
        if text.unicodeScalars.contains("\u{FFFD}") {
            throw .invalidSetting(
                name: name, found: "a text with bytes that are not UTF-8", wanted: "text in UTF-8")
        }
    }
}
