import Foundation
import Models

extension GenerationRequest {
    /// The length that is asked for, 5 seconds where nothing is.
    public var length: VideoLength {
        if let frames { return .frames(frames) }
        return .seconds(seconds ?? 5)
    }

    /// The prompts of the video in time order.
    ///
    /// - Throws: `FramePackError` where there is no prompt, or its time marks cannot be read.
    public func timeline() throws(FramePackError) -> PromptTimeline {
        try PromptTimeline(prompt, at: promptAt)
    }

    /// The plan of the video.
    ///
    /// - Parameters:
    ///   - defaultOrder: The order where the request names none: the one of the model.
    /// - Throws: `FramePackError` for an invalid request.
    public func plan(defaultOrder: SamplingOrder = .inverted) throws(FramePackError) -> SectionPlan
    {
        try validate()
        return try SectionPlan(
            order: effectiveOrder ?? defaultOrder, length: length, window: effectiveWindow,
            framesPerSecond: fps, packing: packing, start: image == nil ? .plain : .image,
            hasEndImage: endImage != nil, endpoints: endpoint, timeline: try timeline())
    }

    /// The order that is asked for, in words, by the packing's name, or by endpoints.
    var effectiveOrder: SamplingOrder? {
        order ?? (endpoint.isEmpty ? packing?.order : .planned)
    }

    /// The window that is asked for, in numbers or by the packing's name.
    public var effectiveWindow: Int { packing?.window ?? window }

    /// The size that is asked for, or nil where it follows from the picture.
    ///
    /// - Throws: `FramePackError` for one side without the other, or a side that is not a multiple
    ///   of 16 in its range.
    public func explicitSize() throws(FramePackError) -> FrameSize? {
        switch (height, width) {
        case (nil, nil): return nil
        case (let height?, let width?): return try .checked(height: height, width: width)
        case (_?, nil):
            throw .conflictingSettings("height is given without width; give both or neither.")
        case (nil, _?):
            throw .conflictingSettings("width is given without height; give both or neither.")
        }
    }

    /// The size of the video: the one asked for, else the bucket nearest to the picture.
    ///
    /// - Parameters:
    ///   - picture: The size of the start picture; nil for a start from text, which is square.
    ///   - defaultResolution: The model's own resolution.
    /// - Throws: `FramePackError` as `explicitSize()`.
    public func size(picture: FrameSize?, defaultResolution: Int = 640)
        throws(FramePackError) -> FrameSize
    {
        if let size = try explicitSize() { return size }
        return Buckets.resolution(resolution ?? defaultResolution)
            .nearest(to: picture ?? FrameSize(height: 1, width: 1))
    }

    /// The noise levels of a section.
    ///
    /// - Parameters:
    ///   - latents: Latents that the section generates; `effectiveWindow`, or two windows where both
    ///     ends of a video are generated at once.
    ///   - size: The video's size.
    public func schedule(latents: Int, size: FrameSize) -> FlowSchedule {
        FlowSchedule(
            tokenCount: PatchKernel(rate: 1).tokenCount(latents: latents, size: size),
            stepCount: steps, shift: shift)
    }

    /// The form of the output, from the field or the output's name.
    ///
    /// - Throws: `FramePackError` for a name with an extension of no known form.
    public func outputFormat() throws(FramePackError) -> OutputFormat {
        let name = URL(fileURLWithPath: output).pathExtension.lowercased()
        guard let format else {
            if output.hasSuffix("/") { return .png }
            guard let format = OutputFormat(rawValue: name), format != .png else {
                throw .invalidSetting(
                    name: "output", found: "\"\(output)\"",
                    wanted: "a name that ends in .mp4, .gif or .webp, or, for a folder of PNG "
                        + "frames, in /")
            }
            return format
        }
        // A folder of frames may have any name; a file's name must not lie about what it holds.
        guard format == .png || name == format.rawValue else {
            throw .conflictingSettings(
                "The output \"\(output)\" does not go with the format \(format.rawValue); "
                    + "let its name end in .\(format.rawValue).")
        }
        return format
    }
}
