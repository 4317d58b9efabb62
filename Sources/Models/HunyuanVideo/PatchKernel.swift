/// The kernel, and the stride, of a patch embedding over latents.
///
/// Source: arXiv 2504.12626, naming of the packing schedules.
public struct PatchKernel: Hashable, Sendable {
    /// Latent frames, latent rows and latent columns that make one token.
    public let frames, height, width: Int

    /// Makes a kernel from its sides, each 1 or more.
    public init(frames: Int, height: Int, width: Int) {
        precondition(frames > 0 && height > 0 && width > 0, "a kernel's sides are positive")
        (self.frames, self.height, self.width) = (frames, height, width)
    }

    /// The kernel k1, k2, k4, ...: `(rate, 2·rate, 2·rate)`.
    public init(rate: Int) {
        self.init(frames: rate, height: 2 * rate, width: 2 * rate)
    }

    /// The compression along each axis relative to k1 where the kernel is a multiple of it: 1, 2, 4, ...
    public var rate: Int { frames }

    /// Whether all its sides are k1's times one number, so that it has a short name.
    public var isMultipleOfBase: Bool { self == PatchKernel(rate: frames) }

    /// Latent pixels that make one token.
    public var volume: Int { frames * height * width }

    /// How long a frame is that this kernel encodes, in units of a frame in full: φ of the paper.
    ///
    /// 1 for k1, 1/8 for k2, 1/64 for k4. Source: arXiv 2504.12626, section 3.1.
    public var relativeLength: Double { Double(PatchKernel(rate: 1).volume) / Double(volume) }
}

extension PatchKernel: CustomStringConvertible {
    /// The paper's name of the kernel: k1, k2, k4, or in full, such as k1h4w4.
    public var description: String {
        isMultipleOfBase ? "k\(frames)" : "k\(frames)h\(height)w\(width)"
    }

    /// Reads a kernel's name, short or in full; nil for anything else.
    ///
    /// - Parameter name: `k2`, or `k1h4w4`; sides are powers of two up to ``largestSide``.
    public init?(name: String) {
        guard
            let match = name.wholeMatch(
                of: /k([1-9][0-9]{0,4})(?:h([1-9][0-9]{0,4})w([1-9][0-9]{0,4}))?/),
            let frames = Int(match.1)
        else { return nil }
        let height = match.2.flatMap { Int($0) } ?? 2 * frames
        let width = match.3.flatMap { Int($0) } ?? 2 * frames
        guard [frames, height, width].allSatisfy(Self.isSide) else { return nil }
        self.init(frames: frames, height: height, width: width)
    }

    /// The longest side that a name may give a kernel.
    public static let largestSide = 4096

    /// Whether a number may be a kernel's side: a power of two up to ``largestSide``.
    public static func isSide(_ side: Int) -> Bool {
        (1...largestSide).contains(side) && side & (side - 1) == 0
    }
}

extension PatchKernel: Codable {
    /// Reads a kernel's name.
    public init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let kernel = PatchKernel(name: name) else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "\"\(name)\" is no kernel; kernels are k1, k2 or k1h4w4"))
        }
        self = kernel
    }

    /// Writes a kernel's name.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(description)
    }
}
