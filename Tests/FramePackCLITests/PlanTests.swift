import Foundation
import TestSupport
import Testing

@Suite struct PlanTests {
    private func plan(_ options: String...) throws -> [String: Any] {
        let run = try Program.run(["plan", "--json"] + options)
        try #require(run.status == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return try #require(object as? [String: Any])
    }

    @Test func twoSecondsAreTwoSections() throws {
        let plan = try plan(
            "--prompt", "a", "--image", Fixtures.url("media/pictures/grey.png").path,
            "--seconds", "2", "--width", "640", "--height", "608")
        #expect(plan["sectionCount"] as? Int == 2)
        #expect(plan["frames"] as? Int == 73)
        #expect(plan["visionTokens"] as? Int == 729)
        let sections = try #require(plan["sections"] as? [[String: Any]])
        #expect(sections.map { $0["tokens"] as? Int } == [17_500 + 729, 17_500 + 729])
    }

    @Test func keptContextsAreInTheMemory() throws {
        func kept(_ options: String...) throws -> Int {
            let run = try Program.run(["plan", "--json", "--seconds", "2"] + options)
            let plan = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
            let memory = try #require((plan as? [String: Any])?["memory"] as? [String: Any])
            return try #require(memory["keptContext"] as? Int)
        }
        #expect(try kept() == 0)
        let one = try kept("--context-refresh", "2")
        #expect(one > 3_000_000_000)
        #expect(try kept("--context-refresh", "3", "--cfg", "2") == 2 * one)
    }

    @Test func framesAreExact() throws {
        let plan = try plan("--frames", "50", "--order", "f1", "--width", "320", "--height", "320")
        #expect(plan["frames"] as? Int == 50)
        #expect(plan["order"] as? String == "f1")
    }

    @Test func theTableFitsATerminal() throws {
        let run = try Program.run([
            "plan", "--prompt", "[0s: a girl stands] [2.5s: she dances]", "--seconds", "60",
        ])
        #expect(run.status == 0)
        #expect(run.output.contains("Predicted memory"))
        for line in run.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test func aModelsOwnSizesAreUsed() throws {
        let small = try plan(
            "--frames", "5", "--model", Fixtures.url("goldens/pipeline/model").path, "--width",
            "64", "--height", "64")
        #expect(try #require(small["visionTokens"] as? Int) < 729)
    }
}
