/// Checks single settings against their ranges.
enum SettingRange {
    /// Throws `FramePackError.invalidSetting` for a whole number outside its range.
    static func check(_ name: String, _ value: Int, in limits: ClosedRange<Int>)
        throws(FramePackError)
    {
        guard limits.contains(value) else {
            let wanted =
                limits.upperBound == .max
                ? "\(limits.lowerBound) or more"
                : "from \(limits.lowerBound) to \(limits.upperBound)"
            throw .invalidSetting(name: name, found: "\(value)", wanted: wanted)
        }
    }

    /// Throws `FramePackError.invalidSetting` for a number outside its range, or for no number.
    static func check(_ name: String, _ value: Double, in limits: ClosedRange<Double>)
        throws(FramePackError)
    {
        // A range does not contain what is not a number.
        guard limits.contains(value) else {
            let (low, high) = (plainText(limits.lowerBound), plainText(limits.upperBound))
            throw .invalidSetting(
                name: name, found: plainText(value), wanted: "from \(low) to \(high)")
        }
    }
}
