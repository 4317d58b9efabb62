/// The endings of file names, in lower case, by which a folder's files are taken for videos or
/// pictures.
///
/// What a file holds is found out by reading it.
public enum FileEndings {
    /// Videos and animations, as ``VideoReader`` reads them.
    public static let videos = [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "mts", "m2ts", "mpg", "mpeg", "flv", "ogv",
        "gif", "apng", "y4m",
    ]
    /// Still pictures; where several files of one name are looked for, the first of these wins.
    public static let pictures = ["png", "jpg", "jpeg", "webp", "bmp"]
}
