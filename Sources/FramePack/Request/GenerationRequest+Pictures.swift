import Foundation
import Media

extension GenerationRequest {
    /// The shortest edge of a picture that says anything, in pixels.
    public static let shortestEdge = 16

    /// The size of the start picture, nil where there is none; only headers are read.
    ///
    /// The end picture is checked too.
    ///
    /// - Throws: `MediaError` for a picture that cannot be read, `FramePackError.invalidSetting` for
    ///   one that is too small.
    public func pictureSize() throws -> FrameSize? {
        _ = try Self.pictureSize("endImage", endImage)
        return try Self.pictureSize("image", image)
    }

    private static func pictureSize(_ name: String, _ path: String?) throws -> FrameSize? {
        guard let path else { return nil }
        let summary = try probe(URL(fileURLWithPath: path))
        guard summary.kind == .picture else {
            throw FramePackError.invalidSetting(
                name: name, found: "the video \(path)", wanted: "a picture")
        }
        guard min(summary.width, summary.height) >= shortestEdge else {
            throw FramePackError.invalidSetting(
                name: name, found: "a picture of \(summary.width) x \(summary.height) pixels",
                wanted: "at least \(shortestEdge) x \(shortestEdge) pixels large")
        }
        return FrameSize(height: summary.height, width: summary.width)
    }
}
