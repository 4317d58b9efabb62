/// The layers that a module of an adapter file stands for.
struct AdapterTarget {
    /// The layers' names; the module's outputs are theirs, one after the other.
    let layers: [String]
    /// Whether the two halves of the outputs stand the other way round here.
    var swapsHalves = false
}

/// Which layers the modules of adapter files stand for, by their names with underscores.
///
/// Besides our own names, which are diffusers', those of HunyuanVideo and of programs that build on
/// it are known; where those fuse layers, one module stands for several.
/// Source: `convert_hunyuan_video_to_diffusers.py` of diffusers for the names of the base model.
struct AdapterTargets {
    private var targets: [String: AdapterTarget] = [:]

    init(_ config: TransformerConfig, layers: [String]) {
        for layer in layers { add([layer], AdapterTarget(layers: [layer])) }
        for index in 0..<config.doubleBlockCount { addDoubleBlock(index) }
        for index in 0..<config.singleBlockCount { addSingleBlock(index) }
        addRefiner(config)
        addEmbeddingsAndHead()
    }

    /// What a module stands for; nil where the network has no such thing.
    subscript(module: String) -> AdapterTarget? { targets[module] }

    private mutating func add(_ names: [String], _ target: AdapterTarget) {
        for name in names { targets[AdapterKey.underscored(name)] = target }
    }

    private mutating func addDoubleBlock(_ index: Int) {
        let (old, new) = ("double_blocks.\(index)", "transformer_blocks.\(index)")
        let streams = [
            ("img", "norm1", ["to_q", "to_k", "to_v"], "to_out.0", "ff"),
            (
                "txt", "norm1_context", ["add_q_proj", "add_k_proj", "add_v_proj"], "to_add_out",
                "ff_context"
            ),
        ]
        for (stream, norm, projections, output, feedForward) in streams {
            add(
                ["\(old).\(stream)_mod.linear", "\(old).\(stream)_mod.lin"],
                AdapterTarget(layers: ["\(new).\(norm).linear"]))
            add(
                ["\(old).\(stream)_attn_qkv"],
                AdapterTarget(layers: projections.map { "\(new).attn.\($0)" }))
            add(["\(old).\(stream)_attn_proj"], AdapterTarget(layers: ["\(new).attn.\(output)"]))
            addFeedForward("\(old).\(stream)_mlp", "\(new).\(feedForward)")
        }
    }

    private mutating func addFeedForward(_ old: String, _ new: String) {
        add(["\(old).fc1", "\(old).0"], AdapterTarget(layers: ["\(new).net.0.proj"]))
        add(["\(old).fc2", "\(old).2"], AdapterTarget(layers: ["\(new).net.2"]))
    }

    private mutating func addSingleBlock(_ index: Int) {
        let (old, new) = ("single_blocks.\(index)", "single_transformer_blocks.\(index)")
        add(
            ["\(old).modulation.linear", "\(old).modulation.lin"],
            AdapterTarget(layers: ["\(new).norm.linear"]))
        add(
            ["\(old).linear1"],
            AdapterTarget(
                layers: ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"].map { "\(new).\($0)" }))
        add(["\(old).linear2"], AdapterTarget(layers: ["\(new).proj_out"]))
    }

    private mutating func addRefiner(_ config: TransformerConfig) {
        let embedder = "context_embedder"
        add(["txt_in.input_embedder"], AdapterTarget(layers: ["\(embedder).proj_in"]))
        addTwoLayers("txt_in.t_embedder", "\(embedder).time_text_embed.timestep_embedder")
        addTwoLayers("txt_in.c_embedder", "\(embedder).time_text_embed.text_embedder")
        for index in 0..<config.refinerBlockCount {
            let old = "txt_in.individual_token_refiner.blocks.\(index)"
            let new = "\(embedder).token_refiner.refiner_blocks.\(index)"
            add(
                ["\(old).self_attn_qkv"],
                AdapterTarget(layers: ["to_q", "to_k", "to_v"].map { "\(new).attn.\($0)" }))
            add(["\(old).self_attn_proj"], AdapterTarget(layers: ["\(new).attn.to_out.0"]))
            addFeedForward("\(old).mlp", "\(new).ff")
            add(
                ["\(old).adaLN_modulation.1"],
                AdapterTarget(layers: ["\(new).norm_out.linear"]))
        }
    }

    private mutating func addTwoLayers(_ old: String, _ new: String) {
        add(
            ["mlp.0", "in_layer", "linear_1"].map { "\(old).\($0)" },
            AdapterTarget(layers: ["\(new).linear_1"]))
        add(
            ["mlp.2", "out_layer", "linear_2"].map { "\(old).\($0)" },
            AdapterTarget(layers: ["\(new).linear_2"]))
    }

    private mutating func addEmbeddingsAndHead() {
        addTwoLayers("time_in", "time_text_embed.timestep_embedder")
        addTwoLayers("vector_in", "time_text_embed.text_embedder")
        addTwoLayers("guidance_in", "time_text_embed.guidance_embedder")
        add(["final_layer.linear"], AdapterTarget(layers: ["proj_out"]))
        // HunyuanVideo's last modulation is shift, scale; ours is scale, shift.
        add(
            ["final_layer.adaLN_modulation.1"],
            AdapterTarget(layers: ["norm_out.linear"], swapsHalves: true))
    }
}
