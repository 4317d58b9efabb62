import ArgumentParser
import Foundation
import FramePack

/// Every field of a request as an option, in the groups of the help text.
struct RequestArguments: ParsableArguments {
    @OptionGroup(title: "Content") var content: ContentOptions
    @OptionGroup(title: "Length and size") var form: FormOptions
    @OptionGroup(title: "Sampling") var sampling: SamplingOptions
    @OptionGroup(title: "Model and output") var output: OutputOptions

    /// The request that an older video was made with, where `--like` names one.
    ///
    /// Its output is not taken over: that is the older video itself.
    func likeRequest() throws -> GenerationRequest? {
        try content.like.map { path in
            var request = try GenerationRequest(likeFile: URL(fileURLWithPath: path))
            let usual = GenerationRequest(prompt: "")
            (request.output, request.format) = (usual.output, usual.format)
            return request
        }
    }

    /// Puts what was given on the command line into a request; the rest stays.
    ///
    /// - Throws: `FramePackError.packingName` for a packing's name that is none.
    func apply(to request: inout GenerationRequest) throws {
        applyContent(&request)
        applyForm(&request)
        try applySampling(&request)
        applyOutput(&request)
    }

    private func applyContent(_ request: inout GenerationRequest) {
        if let prompt = content.prompt {
            request.prompt = prompt
            // The older video's further prompts belong to its first one.
            request.promptAt = []
        }
        if !content.promptAt.isEmpty { request.promptAt = content.promptAt.map(\.prompt) }
        set(&request.negativePrompt, content.negativePrompt)
        if let image = content.image { request.image = image }
        if let endImage = content.endImage { request.endImage = endImage }
    }

    private func applyForm(_ request: inout GenerationRequest) {
        if form.seconds != nil || form.frames != nil {
            (request.seconds, request.frames) = (form.seconds, form.frames)
        }
        set(&request.fps, form.fps)
        if form.width != nil || form.height != nil || form.resolution != nil {
            (request.width, request.height) = (form.width, form.height)
            request.resolution = form.resolution
        }
    }

    private func applySampling(_ request: inout GenerationRequest) throws(FramePackError) {
        if let order = sampling.order { request.order = order }
        if let packing = sampling.packing {
            request.packing = try packing.mapError(FramePackError.packingName).get()
        }
        set(&request.historyOrder, sampling.historyOrder)
        set(&request.historyTimeWeight, sampling.historyTimeWeight)
        if !sampling.endpoint.isEmpty { request.endpoint = sampling.endpoint.map(\.endpoint) }
        if let window = sampling.window {
            try request.checkPacking(generates: window)
            request.window = window
        }
        set(&request.seed, sampling.seed)
        set(&request.steps, sampling.steps)
        set(&request.sampler, sampling.sampler)
        if let shift = sampling.shift { request.shift = shift }
        set(&request.guidance, sampling.guidance)
        set(&request.cfg, sampling.cfg)
        set(&request.guidanceRescale, sampling.guidanceRescale)
        if let stepCache = sampling.stepCache {
            // The older video's threshold belongs to its own cache.
            if stepCache != request.stepCache { request.threshold = nil }
            request.stepCache = stepCache
        }
        if let threshold = sampling.threshold { request.threshold = threshold }
        set(&request.contextRefresh, sampling.contextRefresh)
        set(&request.parity, sampling.parity)
    }

    private func applyOutput(_ request: inout GenerationRequest) {
        if let model = output.model { request.model = model }
        if !output.lora.isEmpty { request.lora = output.lora.map(\.lora) }
        set(&request.output, output.output)
        if let format = output.format {
            request.format = format
        } else if output.output != nil {
            request.format = nil
        }
        set(&request.crf, output.crf)
        set(&request.decode, output.decode)
        set(&request.tiling, output.tiling)
        if let dtype = output.dtype { request.dtype = dtype }
        set(&request.weightFormat, output.weightFormat)
        set(&request.keepJob, output.keepJob)
    }

    private func set<Value>(_ field: inout Value, _ value: Value?) {
        if let value { field = value }
    }
}
