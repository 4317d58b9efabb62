import Foundation

extension Pipeline {
    /// Makes a video on a thread of its own.
    ///
    /// The stream ends after `done`, or throws what ``run(_:cancellation:events:)`` throws. A
    /// stream that is let go cancels the run.
    ///
    /// - Parameters:
    ///   - request: What is asked for.
    ///   - model: The model.
    ///   - options: How to run.
    public static func generate(
        _ request: GenerationRequest, model: ModelFolder,
        options: PipelineOptions = PipelineOptions()
    ) -> AsyncThrowingStream<PipelineEvent, any Error> {
        AsyncThrowingStream { continuation in
            let token = CancellationToken()
            continuation.onTermination = { _ in token.cancel() }
            let thread = Thread {
                do {
                    _ = try Pipeline(model, options: options).run(
                        request, cancellation: token, events: { continuation.yield($0) })
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            thread.name = "framepack"
            thread.stackSize = 16 << 20
            thread.start()
        }
    }
}
