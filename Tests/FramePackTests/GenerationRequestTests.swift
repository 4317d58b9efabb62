import Foundation
import FramePack
import Testing

private func request(_ change: (inout GenerationRequest) -> Void = { _ in }) -> GenerationRequest {
    var request = GenerationRequest(prompt: "A girl dances.", image: "girl.png")
    change(&request)
    return request
}

/// The sentence by which a request is refused, or nil.
private func refusal(_ change: (inout GenerationRequest) -> Void) -> String? {
    do {
        try request(change).validate()
        return nil
    } catch {
        return error.description
    }
}

private func refusal(json: String) -> String? {
    do {
        try GenerationRequest(json: Data(json.utf8)).validate()
        return nil
    } catch {
        return error.description
    }
}

@Suite struct RequestValidationTests {
    @Test func defaultsAreTheReferences() throws {
        let request = request()
        try request.validate()
        #expect(request.seed == 31337)
        #expect(request.steps == 25)
        #expect(request.window == 9)
        #expect(request.guidance == 10)
        #expect(request.cfg == 1)
        #expect(request.guidanceRescale == 0)
        #expect(request.crf == 16)
        #expect(request.fps == 30)
        #expect(request.stepCache == .none)
        #expect(request.contextRefresh == 1)
        #expect(try request.plan().frameCount == 145)
    }

    @Test(arguments: [
        (0, "0"), (-1, "-1"), (1e9, "1000000000"), (.nan, "nan"), (.infinity, "inf"),
        (3600.5, "3600.5"),
    ])
    func secondsOutsideTheRangeAreRefused(seconds: Double, text: String) {
        #expect(
            refusal { $0.seconds = seconds }
                == "seconds is \(text); it must be more than 0 and at most 3600.")
    }

    @Test func numbersOutsideTheirRangesAreRefused() {
        #expect(refusal { $0.frames = 0 } == "frames is 0; it must be from 1 to 108001.")
        #expect(refusal { $0.steps = 101 } == "steps is 101; it must be from 1 to 100.")
        #expect(refusal { $0.seed = -1 } == "seed is -1; it must be 0 or more.")
        #expect(refusal { $0.guidance = .nan } == "guidance is nan; it must be from 1 to 32.")
        #expect(refusal { $0.shift = 0 } == "shift is 0; it must be from 0.01 to 100.")
        #expect(
            refusal { $0.contextRefresh = 0 } == "contextRefresh is 0; it must be from 1 to 100.")
        #expect(refusal { $0.threshold = 1.5 } == "threshold is 1.5; it must be from 0 to 1.")
        #expect(refusal { $0.crf = 52 } == "crf is 52; it must be from 0 to 51.")
        #expect(refusal { $0.fps = 0 } == "fps is 0; it must be from 1 to 120.")
        #expect(refusal { $0.window = 0 } == "window is 0; it must be from 1 to 1000.")
        #expect(refusal { $0.cfg = 0.5 }?.hasPrefix("cfg is 0.5;") == true)
        #expect(refusal { $0.guidanceRescale = -0.1 }?.hasPrefix("guidanceRescale is") == true)
        #expect(refusal { $0.resolution = 8 }?.hasPrefix("resolution is 8;") == true)
    }

    @Test func promptsAreNeitherEmptyNorABook() {
        for text in ["", " \n"] {
            #expect(refusal { $0.prompt = text }?.hasPrefix("prompt is empty;") == true)
        }
        let book = Array(repeating: "word", count: 10_000).joined(separator: " ")
        #expect(
            refusal { $0.prompt = book }?
                .hasPrefix("prompt is 10000 words long; it must be at most 1000 words") == true)
        #expect(
            refusal { $0.negativePrompt = book }?.hasPrefix("negativePrompt is 10000") == true)
        #expect(refusal { $0.prompt = String(repeating: "x", count: 10_001) } != nil)
    }

    @Test func sizesAreMultiplesOfSixteen() {
        #expect(
            refusal { ($0.height, $0.width) = (650, 640) }
                == "height is 650; it must be a multiple of 16; use 640 or 656.")
        #expect(
            refusal { ($0.height, $0.width) = (640, 5000) }
                == "width is 5000; it must be a multiple of 16 from 32 to 4096.")
        #expect(
            refusal { $0.width = 640 }
                == "width is given without height; give both or neither.")
        #expect(refusal { ($0.height, $0.width, $0.resolution) = (64, 64, 640) } != nil)
    }

    @Test func settingsThatExcludeEachOtherAreRefused() {
        #expect(
            refusal { ($0.seconds, $0.frames) = (5, 100) }
                == "seconds and frames are both given; give one of them.")
        #expect(refusal { ($0.order, $0.endImage) = (.f1, "end.png") } != nil)
        #expect(refusal { ($0.order, $0.endImage) = (.inverted, "end.png") } == nil)
        #expect(throws: FramePackError.self) {
            try request { $0.endImage = "end.png" }.plan(defaultOrder: .f1)
        }
    }

    @Test func theOutputsNameTellsItsFormat() throws {
        for (name, format) in [
            ("a.mp4", OutputFormat.mp4), ("b.GIF", .gif), ("c.webp", .webp), ("frames/", .png),
        ] {
            #expect(try request { $0.output = name }.outputFormat() == format)
        }
        #expect(refusal { $0.output = "video.avi" } != nil)
        #expect(refusal { $0.output = "" } != nil)
        #expect(refusal { ($0.output, $0.format) = ("a.mp4", .gif) } != nil)
        #expect(refusal { ($0.output, $0.format) = ("frames", .png) } == nil)
    }
}

@Suite struct RequestJSONTests {
    @Test func everyFieldSurvivesTheRoundTrip() throws {
        var request = request {
            $0.promptAt = [TimedPrompt(seconds: 2.5, text: "She sits.")]
            $0.negativePrompt = "blur"
            $0.endImage = "end.png"
            $0.frames = 100
            ($0.height, $0.width) = (480, 832)
            ($0.order, $0.window, $0.seed, $0.steps) = (.inverted, 5, 7, 12)
            ($0.sampler, $0.shift, $0.guidance, $0.cfg) = (.unipcBH2, 3, 6, 2)
            ($0.guidanceRescale, $0.stepCache, $0.threshold) = (0.5, .teacache, 0.1)
            $0.contextRefresh = 3
            ($0.parity, $0.decode, $0.tiling, $0.dtype) = (true, .streaming, true, .bf16)
            ($0.model, $0.output, $0.format) = ("Models/small", "a.webp", .webp)
            ($0.crf, $0.keepJob, $0.fps) = (20, true, 24)
        }
        #expect(try GenerationRequest(json: request.json()) == request)
        request.frames = nil
        request.seconds = 2.5
        request.resolution = 128
        #expect(try GenerationRequest(json: request.json()) == request)
        #expect(try GenerationRequest(json: GenerationRequest(prompt: "a").json()).image == nil)
    }

    @Test func keysAreTheFieldNames() throws {
        let text = String(decoding: try request().json(), as: UTF8.self)
        #expect(text.contains("\"negativePrompt\" : \"\""))
        #expect(text.contains("\"sampler\" : \"unipc\""))
        #expect(text.contains("\"stepCache\" : \"none\""))
        #expect(!text.contains("endImage"))
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let read = try GenerationRequest(json: Data(#"{"prompt": "a", "steps": 5}"#.utf8))
        var wanted = GenerationRequest(prompt: "a")
        wanted.steps = 5
        #expect(read == wanted)
    }

    @Test func unknownKeysNameTheNearest() {
        #expect(
            refusal(json: #"{"prompt": "a", "stpes": 5}"#)
                == "The request has no setting \"stpes\"; the nearest is \"steps\".")
        #expect(
            refusal(json: #"{"prompt": "a", "negative_prompt": "b"}"#)
                == "The request has no setting \"negative_prompt\"; "
                + "the nearest is \"negativePrompt\".")
        #expect(
            refusal(json: #"{"prompt": "a", "zzzzzzzzzzzz": 5}"#)
                == "The request has no setting \"zzzzzzzzzzzz\".")
        #expect(
            refusal(json: #"{"prompt": "a", "promptAt": [{"second": 1, "text": "b"}]}"#)
                == "A timed prompt has no setting \"second\"; the nearest is \"seconds\".")
    }

    @Test func wrongTypesNameTheField() {
        #expect(
            refusal(json: #"{"prompt": "a", "steps": "five"}"#)
                == "steps is of another type; it must be a whole number.")
        #expect(
            refusal(json: #"{"prompt": "a", "steps": 2.5}"#)
                == "steps is of another type; it must be a whole number.")
        #expect(
            refusal(json: #"{"prompt": "a", "order": "backwards"}"#)
                == "order is \"backwards\"; it must be one of inverted, f1, vanilla, anti-drifting, planned."
        )
        #expect(refusal(json: "{}")?.hasPrefix("prompt is empty;") == true)
        #expect(refusal(json: "[]")?.hasPrefix("The request is not a JSON object") == true)
        #expect(refusal(json: "{\"prompt\": ")?.hasPrefix("The request is not valid JSON") == true)
    }
}

@Suite struct RequestSizeTests {
    @Test func theSizeFollowsThePicture() throws {
        let picture = FrameSize(height: 1080, width: 1920)
        #expect(try request().size(picture: picture) == FrameSize(height: 480, width: 832))
        let small = try request().size(picture: nil, defaultResolution: 128)
        #expect(small == FrameSize(height: 128, width: 128))
        let own = try request { ($0.height, $0.width) = (64, 96) }.size(picture: picture)
        #expect(own == FrameSize(height: 64, width: 96))
    }

    @Test func theScheduleCountsTheGeneratedTokens() {
        let size = FrameSize(height: 480, width: 832)
        #expect(
            request().schedule(latents: 9, size: size)
                == FlowSchedule(tokenCount: 14040, stepCount: 25))
    }
}
