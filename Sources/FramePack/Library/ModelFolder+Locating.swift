public import Foundation

extension ModelFolder {
    /// The environment variable that names a model, or a folder of models.
    public static let environmentName = "FRAMEPACK_MODELS"

    /// Opens the model that is meant.
    ///
    /// - Parameters:
    ///   - path: What the user named; nil for the environment's, or else the one that ships: in
    ///     `Models` beside the executable or above it, as in its checkout.
    ///   - environment: The environment.
    ///   - executable: The executable.
    /// - Throws: `FramePackError.model` where there is none.
    public static func locate(
        _ path: String?, environment: [String: String] = ProcessInfo.processInfo.environment,
        executable: URL? = Bundle.main.executableURL
    ) throws -> ModelFolder {
        if let path { return try ModelFolder(URL(fileURLWithPath: path)) }
        if let path = environment[environmentName], !path.isEmpty {
            let url = URL(fileURLWithPath: path)
            return try model(within: url) ?? ModelFolder(url)
        }
        var folder = executable?.resolvingSymlinksInPath().deletingLastPathComponent()
        while let place = folder, place.path != "/" {
            if let model = try model(within: place.appendingPathComponent("Models")) {
                return model
            }
            folder = place.deletingLastPathComponent()
        }
        throw FramePackError.model(
            "No model was found beside the program; name one with --model or \(environmentName).")
    }

    /// The model in a folder, or the first by name in a folder of models.
    private static func model(within folder: URL) throws -> ModelFolder? {
        func isModel(_ url: URL) -> Bool {
            FileManager.default.fileExists(
                atPath: url.appendingPathComponent("model_index.json").path)
        }
        if isModel(folder) { return try ModelFolder(folder) }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let models = names.sorted().map { folder.appendingPathComponent($0) }
        return try models.first(where: isModel).map(ModelFolder.init)
    }
}
