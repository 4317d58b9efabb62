import Foundation
import FramePack
import Media
import TestSupport

/// The tiny whole model that all pipeline cases belong to; its weights are random.
func tinyModel() throws -> ModelFolder {
    try ModelFolder(Fixtures.url("goldens/pipeline/model"))
}

/// A small request for the tiny model, whose picture and output lie in a folder.
func tinyRequest(in folder: URL, output: String = "out.mp4") throws -> GenerationRequest {
    let picture = folder.appendingPathComponent("start.png")
    if !FileManager.default.fileExists(atPath: picture.path) {
        var pixels: [UInt8] = []
        for y in 0..<40 {
            for x in 0..<56 { pixels += [UInt8(4 * x), UInt8(6 * y), UInt8(x + y)] }
        }
        try Picture(width: 56, height: 40, pixels: pixels).writePNG(to: picture)
    }
    var request = GenerationRequest(prompt: "a cat walks", image: picture.path)
    request.output = folder.appendingPathComponent(output).path
    (request.height, request.width, request.steps, request.window) = (32, 48, 2, 2)
    request.seed = 5
    return request
}
