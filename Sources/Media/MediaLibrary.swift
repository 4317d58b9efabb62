import CMedia
import Foundation

/// The shared library that links FFmpeg, loaded at first use: a program that reads and writes
/// no media starts on a machine without FFmpeg.
public enum MediaLibrary {
    /// The versions and the licence of the FFmpeg libraries in use.
    ///
    /// Throws `MediaError.libraryMissing`.
    public static func describe() throws(MediaError) -> String {
        try functions().describe().map { String(cString: $0) } ?? ""
    }

    /// The table of functions, loaded once a process.
    static func functions() throws(MediaError) -> MediaFunctions {
        try loaded.get().functions
    }

    private static let loaded: Result<Loaded, MediaError> = load()

    /// The table never changes once it is loaded.
    private struct Loaded: @unchecked Sendable {
        let functions: MediaFunctions
    }

    private static func load() -> Result<Loaded, MediaError> {
        var problem = "\(fileName) is not beside the program or in `lib` there"
        for path in candidates() where FileManager.default.fileExists(atPath: path) {
            guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
                problem = dlerror().map { String(cString: $0) } ?? "\(path) does not load"
                continue
            }
            guard let symbol = dlsym(handle, MEDIA_FUNCTIONS_SYMBOL) else {
                problem = "\(path) is not this program's media library"
                continue
            }
            let provider = unsafeBitCast(
                symbol, to: (@convention(c) () -> UnsafePointer<MediaFunctions>).self)
            let functions = provider().pointee
            guard functions.version == MEDIA_INTERFACE_VERSION else {
                problem =
                    "\(path) has interface version \(functions.version), wanted is "
                    + "\(MEDIA_INTERFACE_VERSION)"
                continue
            }
            return .success(Loaded(functions: functions))
        }
        return .failure(.libraryMissing(reason: problem))
    }

    private static var fileName: String {
        #if canImport(Darwin)
            "libFramePackMedia.dylib"
        #else
            "libFramePackMedia.so"
        #endif
    }

    /// Beside the image that holds this code, beside the executable, and in `lib` of both.
    private static func candidates() -> [String] {
        var folders: [URL] = []
        if let path = media_image_path() {
            let image = URL(fileURLWithPath: String(cString: path)).resolvingSymlinksInPath()
            folders.append(image.deletingLastPathComponent())
        }
        if let executable = Bundle.main.executableURL?.resolvingSymlinksInPath() {
            folders.append(executable.deletingLastPathComponent())
        }
        // A test bundle on macOS lies three levels below the build folder.
        let above = folders.first.map { folder in
            (0..<3).reduce(folder) { parent, _ in parent.deletingLastPathComponent() }
        }
        let places = folders.flatMap { folder in
            ["", "lib", "../lib"].map { folder.appendingPathComponent($0) }
        }
        return (places + [above].compactMap { $0 }).map {
            $0.appendingPathComponent(fileName).standardizedFileURL.path
        }
    }
}

extension MediaFailure {
    /// The clause that the library wrote.
    var reason: String {
        withUnsafeBytes(of: text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// Calls the library and turns a failure to read `file` into an error.
@discardableResult
func reading(_ file: URL, _ call: (inout MediaFailure) -> MediaStatus) throws(MediaError)
    -> MediaStatus
{
    var failure = MediaFailure()
    let status = call(&failure)
    if status == MediaStatusOK || status == MediaStatusEnd { return status }
    throw .cannotRead(file: file.path, reason: failure.reason)
}

/// Calls the library and turns a failure to write `file` into an error.
func writing(_ file: URL, _ call: (inout MediaFailure) -> MediaStatus) throws(MediaError) {
    var failure = MediaFailure()
    switch call(&failure) {
    case MediaStatusOK, MediaStatusEnd: return
    case MediaStatusDiskFull: throw .diskFull(file: file.path)
    default: throw .cannotWrite(file: file.path, reason: failure.reason)
    }
}
