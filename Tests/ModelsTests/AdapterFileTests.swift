import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct AdapterFileTests {
    private static let outputs = Result { try Fixtures.tensors("lora/outputs.safetensors") }

    private func fixture(_ dtype: DType = .float32) throws -> TransformerFixture {
        try TransformerFixture("one_frame", dtype: dtype)
    }

    private func output(_ name: String) throws -> Tensor {
        try #require(try Self.outputs.get()["out.\(name)"])
    }

    private func file(
        _ name: String, for model: Transformer, metadata: [String: String] = [:],
        _ change: (inout [String: Tensor]) throws -> Void = { _ in }
    ) throws -> AdapterFile {
        var tensors = try Fixtures.tensors("lora/\(name).safetensors")
        try change(&tensors)
        return try AdapterFile(
            "\(name).safetensors", tensors: tensors, metadata: metadata, for: model)
    }

    private func run(_ golden: TransformerFixture, _ sets: [AdapterSet]) throws -> Tensor {
        for set in sets { try golden.model.attach(set) }
        defer { sets.forEach(golden.model.detach) }
        return try withoutGradients { try golden.model(golden.input) }
    }

    private func expectSame(_ a: Tensor, _ b: Tensor, _ name: String) throws {
        #expect(try a.array(Float.self) == b.array(Float.self), "\(name)")
    }

    // MARK: - Against the references

    @Test(arguments: ["kohya", "hunyuan", "peft", "loha", "lokr"])
    func givesTheReferencesOutput(_ name: String) throws {
        let golden = try fixture()
        let file = try file(name, for: golden.model)
        #expect(file.summary.unmatched.isEmpty)
        try expectClose(run(golden, [file.adapters]), output(name), name)
        try expectClose(run(golden, []), golden.tensor("out.sample"), "\(name), detached")
    }

    @Test func twoAtOnceGiveTheSumWithTheirStrengths() throws {
        let golden = try fixture()
        let (a, b) = (try file("kohya", for: golden.model), try file("peft", for: golden.model))
        (a.adapters.strength, b.adapters.strength) = (0.75, -0.5)
        try expectClose(run(golden, [a.adapters, b.adapters]), output("both"), "both")
        (a.adapters.strength, b.adapters.strength) = (1, 0)
        try expectClose(run(golden, [a.adapters, b.adapters]), output("kohya"), "the first alone")
    }

    @Test func actsOnWeightsOfAnotherType() throws {
        let golden = try fixture(.bfloat16)
        let merged = try fixture(.bfloat16)
        try merged.store.move(to: nil, .float32)
        let adapters = try file("kohya", for: golden.model).adapters
        for (layer, adapter) in adapters.adapters {
            let adapter = try #require(adapter as? LowRankAdapter)
            let weight = try #require(merged.store["\(layer).weight"])
            let product = try adapter.up.value.to(.float32).matmul(adapter.down.value.to(.float32))
            weight.value = try weight.value + product * adapter.scale
        }
        try expectClose(run(golden, [adapters]), run(merged, []), "bf16 weights")
    }

    // MARK: - Forms

    /// The keys of `hunyuan.safetensors`, whose layer names are `diffusion_model.double_blocks.0…`.
    private static let forms: [(name: String, rename: @Sendable (String) -> String)] = [
        ("transformer.", { "transformer." + $0.dropFirst("diffusion_model.".count) }),
        ("no prefix", { String($0.dropFirst("diffusion_model.".count)) }),
        (
            "PEFT with the adapter's name",
            {
                "base_model.model."
                    + $0.dropFirst("diffusion_model.".count)
                    .replacingOccurrences(of: ".weight", with: ".default.weight")
            }
        ),
        (
            "kohya",
            { key in
                let plain = key.dropFirst("diffusion_model.".count)
                let parts = plain.components(separatedBy: ".lora_")
                return "lora_unet_" + parts[0].replacingOccurrences(of: ".", with: "_")
                    + (parts[1] == "A.weight" ? ".lora_down.weight" : ".lora_up.weight")
            }
        ),
        (
            "other names of the same layers",
            { key in
                [
                    ("attn_qkv", "attn.qkv"), ("attn_proj", "attn.proj"), (".fc1", ".0"),
                    (".fc2", ".2"),
                    ("_mod.linear", "_mod.lin"), ("modulation.linear", "modulation.lin"),
                    ("time_in.mlp.0", "time_in.in_layer"), ("time_in.mlp.2", "time_in.out_layer"),
                    ("t_embedder.mlp.0", "t_embedder.in_layer"),
                ].reduce(key) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            }
        ),
    ]

    @Test func allFormsOfOneLoRAGiveTheSameOutput() throws {
        let golden = try fixture()
        let wanted = try run(golden, [file("hunyuan", for: golden.model).adapters])
        for form in Self.forms {
            let file = try file("hunyuan", for: golden.model) { tensors in
                tensors = Dictionary(
                    uniqueKeysWithValues: tensors.map { (form.rename($0.key), $0.value) })
            }
            #expect(file.summary.matchedKeys == file.summary.keys, "\(form.name)")
            try expectSame(run(golden, [file.adapters]), wanted, form.name)
        }
    }

    @Test func splitsFusedLayersAndTellsWhatMatched() throws {
        let golden = try fixture()
        let file = try file("hunyuan", for: golden.model) { tensors in
            tensors["lora_te1_layers_0.lora_down.weight"] = try .zeros([2, 4])
            tensors["diffusion_model.img_in.proj.lora_A.weight"] = try .zeros([2, 16, 1, 2, 2])
            tensors["step"] = try .zeros([1])
            tensors["diffusion_model.other.lora_A.weight"] = try .zeros([2, 4])
        }
        let summary = file.summary
        // All linear layers but the vision projection's, which HunyuanVideo has not.
        #expect(summary.layers == golden.model.linears.count - 2)
        #expect(summary.matchedKeys == 74 && summary.keys == 78 && summary.ranks == [2])
        #expect(
            summary.text
                == "74 of 78 keys matched: LoRA of rank 2 for \(summary.layers) layers; no place for "
                + "diffusion_model.img_in.proj.lora_A.weight, "
                + "diffusion_model.other.lora_A.weight, lora_te1_layers_0.lora_down.weight "
                + "and 1 more.")
    }

    @Test func readsRanksAndAlphasOfEachLayer() throws {
        let golden = try fixture()
        let file = try file("kohya", for: golden.model)
        #expect(file.summary.ranks == [1, 2, 3])
        let scales = file.adapters.adapters.compactMap { ($0.adapter as? LowRankAdapter)?.scale }
        // The first four layers: ranks 1, 2, 3, 1 and alphas 0.5, 1, 4, none.
        #expect(Array(scales.prefix(4)) == [0.5, 0.5, 4 / 3, 1])
    }

    @Test func takesAlphaFromTheMetadataOfFilesWithoutIt() throws {
        let model = try fixture().model
        func scales(_ json: String) throws -> Set<Double> {
            let file = try file(
                "peft", for: model, metadata: ["lora_adapter_metadata": json])
            return Set(file.adapters.adapters.compactMap { ($0.adapter as? LowRankAdapter)?.scale })
        }
        #expect(try scales("{}") == [1])
        #expect(try scales(#"{"transformer.lora_alpha": 8, "transformer.r": 2}"#) == [4])
        #expect(try scales(#"{"lora_alpha": 2, "alpha_pattern": {"proj_in": 1}}"#) == [1, 0.5])
        // The longer pattern names the layer more closely, whatever their order.
        for patterns in [
            #"{"proj_in": 1, "context_embedder.proj_in": 6, "in": 8}"#,
            #"{"in": 8, "context_embedder.proj_in": 6, "proj_in": 1}"#,
        ] {
            for _ in 0..<20 {
                #expect(
                    try scales(#"{"lora_alpha": 2, "alpha_pattern": \#(patterns)}"#) == [1, 3])
            }
        }
        #expect(
            try scales(#"{"lora_alpha": 2, "use_rslora": true}"#) == [2 * 2.0.squareRoot() / 2])
    }

    // MARK: - Files that do not fit

    @Test func saysWhatIsWrongWithAFile() throws {
        let model = try fixture().model
        typealias Change = (inout [String: Tensor]) throws -> Void
        let key = "lora_unet_transformer_blocks_0_attn_to_q"
        let cases: [(String, Change)] = [
            (
                "\(key).lora_down.weight has the shape [2, 17]; [any, 16] is needed",
                { $0["\(key).lora_down.weight"] = try .zeros([2, 17]) }
            ),
            (
                "\(key).lora_up.weight has the shape [16, 5]",
                { $0["\(key).lora_up.weight"] = try .zeros([16, 5]) }
            ),
            (
                "\(key).lora_down.weight has the shape [1, 16, 3, 3]",
                { $0["\(key).lora_down.weight"] = try .zeros([1, 16, 3, 3]) }
            ),
            (
                "the matrix that belongs to it (up) is missing",
                { $0["\(key).lora_up.weight"] = nil }
            ),
            ("\(key).alpha has the shape [2]", { $0["\(key).alpha"] = try .zeros([2]) }),
            (
                "is of type int32",
                { $0["\(key).lora_up.weight"] = try .zeros([16, 3], dtype: .int32) }
            ),
            ("is a DoRA (\(key).dora_scale)", { $0["\(key).dora_scale"] = try .ones([16, 1]) }),
            (
                "are the same weight twice",
                {
                    $0["transformer.transformer_blocks.0.attn.to_q.lora_B.weight"] = try .ones([
                        16, 1,
                    ])
                }
            ),
            (
                "to_k.lora_down.weight adapts transformer_blocks.0.attn.to_k a second time",
                {
                    let qkv = "diffusion_model.double_blocks.0.img_attn_qkv"
                    $0["\(qkv).lora_A.weight"] = try .ones([1, 16])
                    $0["\(qkv).lora_B.weight"] = try .ones([48, 1])
                }
            ),
            (
                "none of its 2 keys matched (diffusion_model.blocks.0.q.lora_A.weight, ",
                {
                    $0 = [
                        "diffusion_model.blocks.0.q.lora_A.weight": try .ones([1, 16]),
                        "diffusion_model.blocks.0.q.lora_B.weight": try .ones([16, 1]),
                    ]
                }
            ),
            (
                "is no LoRA file: it holds proj_out.weight",
                { $0 = ["proj_out.weight": try .ones([1])] }
            ),
            ("is no LoRA file: it holds nothing", { $0 = [:] }),
        ]
        for (part, change) in cases {
            #expect {
                try file("kohya", for: model, change)
            } throws: { error in
                print("    \(error)")
                return "\(error)".contains(part) && "\(error)".hasPrefix("kohya.safetensors")
            }
        }
        #expect {
            try file("lokr", for: model) {
                $0["lora_unet_transformer_blocks_0_ff_net_2.lokr_w2"] = try .ones([4, 9])
            }
        } throws: {
            "\($0)".contains("give [16, 54]; transformer_blocks.0.ff.net.2 needs [16, 48]")
        }
    }

    // MARK: - Writing

    private func trained(_ golden: TransformerFixture, alpha: Double) throws -> AdapterSet {
        let set = try golden.model.attachFreshAdapters(
            LowRankConfig(rank: 4, alpha: alpha), seed: 3)
        let generator = try Generator(seed: 9)
        try withoutGradients {
            for (_, adapter) in set.adapters {
                try adapter.parameters[1].value.normalInPlace(deviation: 0.2, generator: generator)
            }
        }
        golden.model.detach(set)
        return set
    }

    @Test(arguments: AdapterForm.allCases)
    func whatIsWrittenIsReadBackBitForBit(_ form: AdapterForm) throws {
        let golden = try fixture()
        let set = try trained(golden, alpha: 1)
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("out.safetensors")
            try writeSafetensors(set.tensors(in: form), metadata: set.metadata(in: form), to: url)
            let stored = try SafetensorsFile(url)
            let file = try AdapterFile(
                "out", tensors: stored.tensors(), metadata: stored.metadata, for: golden.model)
            #expect(file.summary.unmatched.isEmpty && file.summary.layers == set.adapters.count)
            try expectSame(run(golden, [file.adapters]), run(golden, [set]), "\(form)")
            guard form == .musubi else { return }
            #expect(stored.metadata["ss_network_dim"] == "4")
            #expect(stored.metadata["ss_network_alpha"] == "1.0")
            for (name, value) in set.store.tensors {
                let read = try #require(file.adapters.store[name]?.value)
                try expectSame(read, value.detach(), name)
            }
        }
    }

    @Test func diffusersFormHasTheFactorInB() throws {
        let golden = try fixture()
        let set = try trained(golden, alpha: 3)
        let file = try AdapterFile(
            "out", tensors: set.tensors(in: .diffusers), for: golden.model)
        try expectClose(run(golden, [file.adapters]), run(golden, [set]), "alpha 3 of rank 4")
        let name = "transformer_blocks.0.attn.to_q"
        let adapter = try #require(set.adapters.first { $0.layer == name }?.adapter)
        let wanted = try withoutGradients { try adapter.parameters[1].value.detach() * 0.75 }
        try expectSame(
            #require(set.tensors(in: .diffusers)["transformer.\(name).lora_B.weight"]), wanted, name
        )
    }

    @Test func onlyLoRAIsWritten() throws {
        let set = try file("loha", for: fixture().model).adapters
        #expect { try set.tensors(in: .musubi) } throws: { "\($0)".contains("only a LoRA") }
    }
}
