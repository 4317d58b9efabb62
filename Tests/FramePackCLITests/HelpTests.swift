import Foundation
import FramePack
import TestSupport
import Testing

/// Help texts, compared as a whole with the files in `Snapshots`.
///
/// After a wanted change, run the tests with FRAMEPACK_RECORD=1 to write the files anew.
@Suite struct HelpTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Snapshots")

    @Test(arguments: [
        "", "generate", "resume", "plan", "doctor", "inspect", "probe", "bench", "eval",
        "train",
        "train tune",
        "train cache", "train init",
    ])
    func helpIsAsStored(_ command: String) throws {
        let run = try Program.run(command.split(separator: " ").map(String.init) + ["--help"])
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        for line in run.output.split(separator: "\n") {
            #expect(line.count <= 80, "\(line)")
        }
        let file = Self.folder.appendingPathComponent(
            "\(command.isEmpty ? "framepack" : command.replacing(" ", with: "-")).txt")
        if ProcessInfo.processInfo.environment["FRAMEPACK_RECORD"] == "1" {
            try Data(run.output.utf8).write(to: file)
        }
        let stored = try String(contentsOf: file, encoding: .utf8)
        #expect(run.output == stored, "help of \(command)")
    }

    /// The names of a command and of all below it, as the program tells them itself.
    private static func commands(_ command: [String: Any], _ path: [String] = []) -> [[String]] {
        let below = command["subcommands"] as? [[String: Any]] ?? []
        return [path]
            + below.flatMap { commands($0, path + [$0["commandName"] as? String ?? ""]) }
    }

    @Test func noLineOfAnyHelpIsWiderThanATerminal() throws {
        let dump = try Program.run(["--experimental-dump-help"]).output
        let root = try #require(
            JSONSerialization.jsonObject(with: Data(dump.utf8)) as? [String: Any])
        let names = Self.commands(try #require(root["command"] as? [String: Any]))
            .filter { $0.first != "help" }
        #expect(names.contains(["experiment", "orders"]) && names.contains(["train", "plan"]))
        for name in names {
            let run = try Program.run(name + ["--help"])
            #expect(run.status == 0, "\(name)")
            for line in run.output.split(separator: "\n") {
                #expect(line.count <= 80, "\(name): \(line)")
            }
        }
    }

    @Test func theFirstScreenSaysWhatToType() throws {
        let run = try Program.run([])
        #expect(run.status == 0)
        #expect(run.output.contains("framepack generate --image"))
    }

    @Test func theVersionIsSemantic() throws {
        let run = try Program.run(["--version"])
        #expect(run.status == 0)
        let parts = run.output.trimmingCharacters(in: .newlines).split(separator: ".")
        #expect(parts.count == 3 && parts.allSatisfy { Int($0) != nil }, "\(run.output)")
    }

    @Test func everySettingOfARequestIsAnOption() throws {
        let help = try Program.run(["generate", "--help"]).output
        let fields = Mirror(reflecting: GenerationRequest(prompt: "")).children
        let keys = fields.compactMap(\.label)
        #expect(keys.count > 25)
        for key in keys {
            let words = key.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
            let isThere = [" ", "\n", "/"].contains { help.contains("--\(words)\($0)") }
            #expect(isThere, "\(words)")
        }
    }

    @Test func completionsAreGenerated() throws {
        let run = try Program.run(["--generate-completion-script", "bash"])
        #expect(run.status == 0)
        #expect(run.output.contains("framepack"))
    }

    @Test func anUnknownOptionIsOneLineAndTheStatusOfUsage() throws {
        let run = try Program.run(["generate", "--promt", "a"])
        #expect(run.status == 2)
        #expect(run.errorLines.count == 1)
        #expect(run.errors.contains("--promt") && run.errors.contains("generate --help"))
        #expect(!run.errors.contains("Usage"))
    }
}
