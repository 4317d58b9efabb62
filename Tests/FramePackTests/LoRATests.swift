import Checkpoints
import Foundation
import FramePack
import Media
import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// LoRA files in runs of the tiny model.
@Suite struct LoRATests {
    /// Writes a LoRA of rank 2 for the tiny model, with random numbers in B too.
    private func lora(
        _ name: String, in folder: URL, seed: UInt64 = 1, form: AdapterForm = .musubi
    ) throws -> String {
        let transformer = try Transformer(folder: tinyModel().folder(of: .transformer))
        let set = try transformer.attachFreshAdapters(LowRankConfig(rank: 2, alpha: 2), seed: seed)
        let generator = try Generator(seed: seed)
        try withoutGradients {
            for (_, adapter) in set.adapters {
                try adapter.parameters[1].value.normalInPlace(deviation: 0.5, generator: generator)
            }
        }
        let url = folder.appendingPathComponent(name)
        try set.write(to: url, form: form)
        return url.path
    }

    /// Three sections in forward order, of 0.3, 0.27 and 0.27 seconds.
    private func request(in folder: URL, _ output: String, _ loras: [AppliedLoRA]) throws
        -> GenerationRequest
    {
        var request = try tinyRequest(in: folder, output: output)
        (request.frames, request.order, request.keepJob) = (25, .f1, true)
        request.lora = loras
        return request
    }

    /// The latents of each section.
    private func latents(
        _ request: GenerationRequest, _ options: PipelineOptions = PipelineOptions(),
        events: @escaping (PipelineEvent) -> Void = { _ in }
    ) throws -> [Tensor] {
        let result = try Pipeline(tinyModel(), options: options).run(request, events: events)
        let job = URL(fileURLWithPath: try #require(result.job))
        return try (0..<3).map {
            try SafetensorsFile(job.appendingPathComponent("section-00\($0).safetensors"))
                .tensor("latents").clone()
        }
    }

    private func isSame(_ a: Tensor, _ b: Tensor) throws -> Bool {
        try a.array(Float.self) == b.array(Float.self)
    }

    /// Why a request cannot be run.
    private func refusal(_ request: GenerationRequest) -> String {
        do {
            _ = try Pipeline(tinyModel()).run(request)
            return ""
        } catch { return "\(error)" }
    }

    @Test func strengthsTakeEffectSectionBySection() throws {
        try withTemporaryFolder { folder in
            let file = try lora("style.safetensors", in: folder)
            let plain = try latents(request(in: folder, "plain.mp4", []))
            let none = try latents(
                request(in: folder, "none.mp4", [AppliedLoRA(file, strength: 0)]))
            for section in 0..<3 { #expect(try isSame(none[section], plain[section])) }
            let full = try latents(request(in: folder, "full.mp4", [AppliedLoRA(file)]))
            #expect(try !isSame(full[0], plain[0]))
            let late = AppliedLoRA(
                file, strength: 0, at: [TimedStrength(seconds: 0.3, strength: 1)])
            let later = try latents(request(in: folder, "late.mp4", [late]))
            #expect(try isSame(later[0], plain[0]))
            #expect(try !isSame(later[1], plain[1]))
            let early = AppliedLoRA(
                file, strength: 1, at: [TimedStrength(seconds: 0.5, strength: 0)])
            let earlier = try latents(request(in: folder, "early.mp4", [early]))
            #expect(try isSame(earlier[0], full[0]))
            // Half of the second section is over at 0.43 s: the old strength holds longer in it.
            #expect(try isSame(earlier[1], full[1]))
            #expect(try !isSame(earlier[2], full[2]))
        }
    }

    /// With true guidance, a prompt for each section, and a LoRA that is off, on and off.
    @Test func whatARunRemembersChangesNoByte() throws {
        try withTemporaryFolder { folder in
            let file = try lora("a.safetensors", in: folder)
            var request = try request(
                in: folder, "remembered.mp4",
                [
                    AppliedLoRA(
                        file, strength: 0,
                        at: [
                            TimedStrength(seconds: 0.3, strength: 1),
                            TimedStrength(seconds: 0.6, strength: 0),
                        ])
                ])
            (request.cfg, request.negativePrompt) = (3, "a dog")
            request.promptAt = [
                TimedPrompt(seconds: 0.3, text: "a cat sits"),
                TimedPrompt(seconds: 0.6, text: "a cat walks"),
            ]
            let found = try latents(request)
            var options = PipelineOptions()
            options.memoryLimit = 0
            request.output = folder.appendingPathComponent("anew.mp4").path
            let wanted = try latents(request, options)
            for (found, wanted) in zip(found, wanted) { #expect(try isSame(found, wanted)) }
        }
    }

    @Test func severalAddUpInAnyForm() throws {
        try withTemporaryFolder { folder in
            let musubi = try lora("a.safetensors", in: folder)
            let diffusers = try lora("b.safetensors", in: folder, form: .diffusers)
            let once = try latents(request(in: folder, "once.mp4", [AppliedLoRA(musubi)]))
            let twice = try latents(
                request(
                    in: folder, "twice.mp4",
                    [AppliedLoRA(musubi, strength: 0.25), AppliedLoRA(diffusers, strength: 0.75)]))
            for section in 0..<3 {
                try expectClose(
                    twice[section], once[section], absolute: 1e-3, relative: 1e-3,
                    "section \(section)")
            }
        }
    }

    @Test func tellsHowManyKeysMatched() throws {
        try withTemporaryFolder { folder in
            let file = try lora("style.safetensors", in: folder)
            var notes: [String] = []
            var report: PlanReport?
            let lora = AppliedLoRA(
                file, strength: 0.5,
                at: [
                    TimedStrength(seconds: 9, strength: 1),
                    TimedStrength(seconds: 0.3, strength: 2),
                ])
            _ = try latents(request(in: folder, "out.mp4", [lora])) { event in
                if case .note(let text) = event.kind { notes.append(text) }
                if case .planned(let plan) = event.kind { report = plan }
            }
            let keys = try SafetensorsFile(URL(fileURLWithPath: file)).entries.count
            let wanted =
                "LoRA style.safetensors, strength 0.5, 2 from 0.3 s on, 1 from 9 s on: \(keys) of "
                + "\(keys) keys matched: LoRA of rank 2 for \(keys / 3) layers."
            #expect(notes.contains(wanted), "\(notes)")
            #expect(notes.contains { $0.contains("at 9 s comes after the end") })
            let planned = try #require(report?.loras?.first)
            #expect(planned.strengths == [0.5, 2, 2])
            let table = try #require(report?.table).split(separator: "\n")
            #expect(table.contains { $0.hasPrefix("LoRA style.safetensors, strength 0.5") })
            #expect(table.allSatisfy { $0.count <= 80 })
        }
    }

    @Test func aKilledJobGoesOnWithItsLoRAsAndWithNoOthers() throws {
        try withTemporaryFolder { folder in
            let file = try lora("style.safetensors", in: folder)
            let lora = AppliedLoRA(
                file, strength: 1, at: [TimedStrength(seconds: 0.5, strength: -1)])
            let whole = try latents(request(in: folder, "whole.mp4", [lora]))
            let killed = try request(in: folder, "killed.mp4", [lora])
            let token = CancellationToken()
            #expect(throws: FramePackError.cancelled) {
                try Pipeline(tinyModel()).run(killed, cancellation: token) { event in
                    if case .sectionSampled = event.kind { token.cancel() }
                }
            }
            let job = Job.folder(for: killed.output)

            var other = killed
            other.lora[0].strength = 0.5
            #expect(refusal(other).contains("another request"))
            let kept = try Data(contentsOf: URL(fileURLWithPath: file))
            _ = try self.lora("style.safetensors", in: folder, seed: 2)
            #expect(refusal(killed).contains("another LoRA than"))
            #expect {
                try Pipeline(tinyModel()).resume(job)
            } throws: { "\($0)".contains("another LoRA than") }
            try FileManager.default.removeItem(atPath: file)
            #expect {
                try Pipeline(tinyModel()).resume(job)
            } throws: { "\($0)".contains("There is no LoRA file") }

            try kept.write(to: URL(fileURLWithPath: file))
            _ = try Pipeline(tinyModel()).resume(job)
            let resumed = try (0..<3).map {
                try SafetensorsFile(job.appendingPathComponent("section-00\($0).safetensors"))
                    .tensor("latents")
            }
            for section in 0..<3 { #expect(try isSame(resumed[section], whole[section])) }
        }
    }

    @Test func aFileThatDoesNotFitIsRefusedBeforeAJobBegins() throws {
        try withTemporaryFolder { folder in
            let other = folder.appendingPathComponent("other.safetensors")
            try writeSafetensors(
                [
                    "lora_unet_down_blocks_0.lora_down.weight": .ones([2, 4]),
                    "lora_unet_down_blocks_0.lora_up.weight": .ones([4, 2]),
                ], to: other)
            let text = folder.appendingPathComponent("text.safetensors")
            try Data("no weights".utf8).write(to: text)
            for (path, part) in [
                (other.path, "none of its 2 keys matched"), (text.path, "safetensors"),
                (folder.path, "is a folder"), ("\(other.path):0,8", "There is no LoRA file"),
            ] {
                let request = try request(in: folder, "out.mp4", [AppliedLoRA(path)])
                #expect(refusal(request).contains(part), "\(refusal(request))")
                let job = Job.folder(for: request.output)
                #expect(!FileManager.default.fileExists(atPath: job.path))
            }
        }
    }

    @Test func aGeneratorInMemoryPutsThemOnAndTakesThemOff() throws {
        try withTemporaryFolder { folder in
            let file = try lora("style.safetensors", in: folder)
            let generator = try FrameGenerator(tinyModel())
            var request = try tinyRequest(in: folder)
            request.frames = 9
            let picture = Picture(width: 48, height: 32, red: 90, green: 120, blue: 30)
            let before = try generator.frames(request, from: picture)
            request.lora = [AppliedLoRA(file)]
            #expect(try generator.frames(request, from: picture) != before)
            request.lora = []
            #expect(try generator.frames(request, from: picture) == before)
        }
    }

    // MARK: - Settings

    @Test func areReadFromJSON() throws {
        let json = #"""
            {"prompt": "a", "lora": [{"file": "a.safetensors"}, {"file": "b.safetensors",
            "strength": -0.5, "strengthAt": [{"seconds": 2.5, "strength": 1}]}]}
            """#
        let request = try GenerationRequest(json: Data(json.utf8))
        let wanted = [
            AppliedLoRA("a.safetensors"),
            AppliedLoRA(
                "b.safetensors", strength: -0.5, at: [TimedStrength(seconds: 2.5, strength: 1)]),
        ]
        #expect(request.lora == wanted)
        #expect(try GenerationRequest(json: request.json()) == request)
        #expect(wanted[1].strength(from: 0, to: 4.9) == -0.5)
        #expect(wanted[1].strength(from: 0, to: 5.1) == 1)
        for (json, part) in [
            (#"[{"file": "a", "stength": 1}]"#, "A LoRA has no setting \"stength\""),
            (#"[{"strength": 1}]"#, "lora is of another type"),
            (#"[{"file": "a", "strengthAt": [{"second": 1}]}]"#, "A timed strength has no setting"),
            (#""a.safetensors""#, "lora is of another type"),
        ] {
            #expect {
                try GenerationRequest(json: Data(#"{"prompt": "a", "lora": \#(json)}"#.utf8))
            } throws: { "\($0)".contains(part) }
        }
    }

    @Test func strengthsAreChecked() {
        func refusal(_ lora: AppliedLoRA) -> String {
            var request = GenerationRequest(prompt: "a")
            request.lora = [lora]
            do {
                try request.validate()
                return ""
            } catch { return error.description }
        }
        #expect(refusal(AppliedLoRA("a", strength: -10)) == "")
        #expect(
            refusal(AppliedLoRA("a", strength: 11))
                == "The strength of a is 11; it must be from -10 to 10.")
        #expect(refusal(AppliedLoRA("a", strength: .nan)).contains("is nan"))
        #expect(refusal(AppliedLoRA(" ")).contains("lora is empty"))
        for seconds in [0, -1, Double.nan] {
            let lora = AppliedLoRA("a", at: [TimedStrength(seconds: seconds, strength: 1)])
            #expect(refusal(lora).contains("it must be above 0 s"))
        }
        let twice = AppliedLoRA(
            "a", at: [1, 1].map { TimedStrength(seconds: $0, strength: 1) })
        #expect(refusal(twice).contains("Two strengths of a begin at 1 s"))
    }
}
