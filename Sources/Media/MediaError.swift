/// Why a picture or a video could not be read or written.
public enum MediaError: Error, Equatable, CustomStringConvertible {
    /// The shared library that links FFmpeg is missing or cannot be loaded.
    case libraryMissing(reason: String)
    /// A file could not be read.
    case cannotRead(file: String, reason: String)
    /// A file could not be written; nothing is left under its name.
    case cannotWrite(file: String, reason: String)
    /// The disk is full; nothing is left under the file's name.
    case diskFull(file: String)
    /// An argument is out of its range.
    case invalidArgument(reason: String)

    /// A full sentence that names the file, what is wrong with it and what to do.
    public var description: String {
        switch self {
        case .libraryMissing(let reason):
            "The media library cannot be used: \(reason). "
                + "Run `make setup` and `swift build -c release`, which install FFmpeg's libraries "
                + "and build it."
        case .cannotRead(let file, let reason):
            "\(file) cannot be read: \(reason)."
        case .cannotWrite(let file, let reason):
            "\(file) cannot be written: \(reason)."
        case .diskFull(let file):
            "\(file) cannot be written: its disk is full; free some space and run this again."
        case .invalidArgument(let reason):
            "\(reason)."
        }
    }
}
