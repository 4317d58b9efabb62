public import Foundation

/// The implementation that ours is measured against: diffusers, run by `Benchmarks/peer/peer.py`.
public enum BenchmarkPeer {
    /// Finds the peer's program and a Python to run it.
    ///
    /// - Parameters:
    ///   - python: The Python; nil takes that of `Benchmarks/.venv`.
    ///   - places: Where to look for `Benchmarks`, and above it; nil for the current folder and the
    ///     program's own.
    /// - Throws: `BenchmarkError` that says how to get what is missing.
    public static func located(python: String?, places: [URL]? = nil) throws -> WorkerCommand {
        let current = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        let own = Bundle.main.executableURL?.resolvingSymlinksInPath()
        guard
            let folder = (places ?? [current] + (own.map { [$0] } ?? [])).lazy
                .compactMap(benchmarks).first
        else {
            throw BenchmarkError(
                """
                There is no Benchmarks/peer/peer.py above the current folder or the program; go \
                to a checkout of FramePack for Swift, or measure this program alone with --alone.
                """)
        }
        let program = python ?? folder.appendingPathComponent(".venv/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw BenchmarkError(
                """
                There is no peer: \(program) is no program; make one with `swift run \
                --package-path Benchmarks benchmarks peer`, name a Python that has diffusers with \
                --peer-python, or measure this program alone with --alone.
                """)
        }
        return WorkerCommand(
            program: URL(fileURLWithPath: program),
            arguments: [folder.appendingPathComponent("peer/peer.py").path])
    }

    /// The folder `Benchmarks` in a folder or above it.
    private static func benchmarks(above place: URL) -> URL? {
        var folder = place
        while true {
            let found = folder.appendingPathComponent("Benchmarks")
            let script = found.appendingPathComponent("peer/peer.py")
            if FileManager.default.fileExists(atPath: script.path) { return found }
            guard folder.path != "/" else { return nil }
            folder = folder.deletingLastPathComponent()
        }
    }
}
