import Foundation
import TestSupport
import Testing

@Suite struct ConvertTests {
    private let small = Fixtures.folder.appendingPathComponent("../../Models/small")
        .standardizedFileURL.path

    @Test func aModelIsConvertedAndDescribed() throws {
        try withTemporaryFolder { folder in
            let new = folder.appendingPathComponent("small-int8").path
            let run = try Program.run(["convert", small, new, "--format", "int8"])
            try #require(run.status == 0, "\(run.errors)")
            let text = run.output
            #expect(text.contains("44 of 176 tensors rounded to 8."), "\(text)")
            #expect(text.components(separatedBy: "\n").dropFirst().allSatisfy { $0.count <= 80 })
            let described = try Program.run(["inspect", new])
            #expect(described.status == 0, "\(described.errors)")
            #expect(described.output.contains("int8"))
            // A link leads to what was not converted.
            let vae = try FileManager.default.destinationOfSymbolicLink(atPath: "\(new)/vae")
            #expect(vae == "\(small)/vae")
            let again = try Program.run(["convert", small, new, "--format", "int8"])
            #expect(again.status == 1 && again.errors.contains("is there already"))
        }
    }

    @Test func whatCannotBeConvertedIsNamed() throws {
        try withTemporaryFolder { folder in
            let new = folder.appendingPathComponent("new").path
            let unknown = try Program.run(["convert", small, new, "--format", "int3"])
            #expect(unknown.status == 2 && unknown.errors.contains("int3"))
            let missing = try Program.run(["convert", "\(folder.path)/no", new, "--format", "int8"])
            #expect(missing.status == 1 && missing.errors.contains("\(folder.path)/no"))
            let vae = try Program.run(["convert", "\(small)/vae", new, "--format", "int8"])
            #expect(vae.status == 1 && vae.errors.contains("transformers"))
            #expect(!FileManager.default.fileExists(atPath: new))
        }
    }
}
