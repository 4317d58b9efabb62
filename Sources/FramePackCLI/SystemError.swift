import Checkpoints
import Foundation

/// Foundation's errors in words that name the file.
enum SystemError {
    /// The file, if the error knows it, and the system's reason.
    static func sentence(_ error: any Error) -> String {
        let error = error as NSError
        let url = error.userInfo[NSURLErrorKey] as? URL
        let path = error.userInfo[NSFilePathErrorKey] as? String ?? url?.path
        let reason = systemReason(error)
        return path.map { "\($0): \(reason)" } ?? reason
    }
}
