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

    @Test(arguments: [
        ("td_f16k4f4k2f1k1_g9", 10.75, nil as Double?, 21),
        ("f1k1_x_g9_f1k1f4k2f16k4_td", 11.75, nil, 21), ("ta_f16k4f4k2f1k1_g9", 10.75, 11, 21),
        ("ta_f2k1h8w4f1k1h4w4f2k1h2w4f1k1_g1", 3.5, 3.625, 6),
    ])
    func packingsAreTold(name: String, cost: Double, limit: Double?, remembered: Int) throws {
        let plan = try plan("--packing", name, "--seconds", "10")
        #expect(plan["packing"] as? String == name)
        #expect(plan["contextCost"] as? Double == cost)
        #expect(plan["limit"] as? Double == limit)
        // A bound that is not there is written as null, not left out.
        #expect(limit != nil || plan["limit"] is NSNull)
        #expect(plan["latentFramesRemembered"] as? Int == remembered)
        #expect(plan["historyOrder"] as? String == "time" && plan["historyTimeWeight"] == nil)
    }

    @Test func aSlipInAPackingIsPointedAt() throws {
        let run = try Program.run(["plan", "--packing", "f1_k1_x_g9_f1_k1_f4_k2_f16_k4_td"])
        #expect(run.status == 2 && run.output.isEmpty)
        let lines = run.errors.split(separator: "\n").map(String.init)
        #expect(lines.count == 3, "\(run.errors)")
        #expect(lines[0].contains("goes wrong at character 3: f1 needs its kernel"))
        #expect(lines[0].hasSuffix("did you mean f1k1_x_g9_f1k1f4k2f16k4_td?"))
        #expect(lines[1] == "  f1_k1_x_g9_f1_k1_f4_k2_f16_k4_td")
        #expect(lines[2] == "    ^")
    }

    @Test func endpointsAndTheirPromptsAreTold() throws {
        let options = [
            "--prompt", "she stands", "--seconds", "9.6", "--order", "planned", "--endpoint",
            "4:she bows", "--endpoint", "9.6",
        ]
        let table = try Program.run(["plan"] + options)
        #expect(table.status == 0, "\(table.errors)")
        #expect(table.output.contains("Prompt 1, from 0 s: she stands"))
        #expect(table.output.contains("Prompt 2, for the section at 4 s: she bows"))
        let object = try JSONSerialization.jsonObject(
            with: Data(Program.run(["plan", "--json"] + options).output.utf8))
        let plan = try #require(object as? [String: Any])
        let prompts = try #require(plan["prompts"] as? [[String: Any]])
        #expect(prompts.map { $0["isEndpoint"] as? Bool } == [false, true])
        let sections = try #require(plan["sections"] as? [[String: Any]])
        // Both endpoints come first; one has a prompt of its own.
        #expect(sections.prefix(2).map { $0["place"] as? Int } == [4, 8])
        #expect(sections.map { $0["prompt"] as? Int } == [2] + Array(repeating: 1, count: 7))
    }

    @Test func theOrderOfTheHistoryIsTold() throws {
        let options = ["--history-order", "hybrid", "--history-time-weight", "0.5"]
        let plan = try plan(options[0], options[1], options[2], options[3])
        #expect(plan["historyOrder"] as? String == "hybrid")
        #expect(plan["historyTimeWeight"] as? Double == 0.5)
        let table = try Program.run(["plan"] + options).output
        #expect(table.contains("The finest kernels go by hybrid, nearness in time weighted by 0.5"))
        #expect(!(try Program.run(["plan"]).output.contains("finest kernels")))
    }

    @Test(arguments: ["plan", "generate"])
    func aKernelThatAModelLacksIsNamed(command: String) throws {
        let model = Fixtures.url("goldens/pipeline/model").path
        let run = try Program.run([
            command, "--model", model, "--prompt", "a", "--packing", "td_f8k8f1k1_g9", "--device",
            "cpu", "--width", "32", "--height", "32", "--frames", "5",
        ])
        #expect(run.status != 0 && run.output.isEmpty)
        #expect(run.errorLines.count == 1, "\(run.errors)")
        #expect(
            run.errors.contains("The packing td_f8k8f1k1_g9 has the kernel k8, and the model"),
            "\(run.errors)")
        // The plan of the same name needs no checkpoint.
        #expect(try Program.run(["plan", "--packing", "td_f8k8f1k1_g9"]).status == 0)
    }

    /// Plain kernels decode in float32, and so does a run with the reference's roundings.
    @Test func memoryIsThatOfTheKernels() throws {
        func decoding(_ options: String...) throws -> Int {
            let size = ["--width", "320", "--height", "320", "--device", "cpu", "--json"]
            let run = try Program.run(["plan"] + size + options)
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
            let memory = (object as? [String: Any])?["memory"] as? [String: Any]
            return try #require(memory?["vaeParameters"] as? Int)
        }
        let single = try decoding("--dtype", "f32")
        #expect(try decoding("--kernels", "plain") == single)
        #expect(try decoding("--parity") == single)
        let halves = try Program.run(["doctor"]).output.contains("AVX512-BF16")
        #expect(try decoding() == (halves ? single / 2 : single))
    }

    @Test func aModelsOwnSizesAreUsed() throws {
        let small = try plan(
            "--frames", "5", "--model", Fixtures.url("goldens/pipeline/model").path, "--width",
            "64", "--height", "64")
        #expect(try #require(small["visionTokens"] as? Int) < 729)
    }
}
