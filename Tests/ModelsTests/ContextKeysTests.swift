import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// The blocks written out, one tensor operation after the other, with keys and values that are given.
private struct PlainBlocks {
    let store: ParameterStore
    let headSize = 16

    struct Heads {
        var q, k, v: Tensor
    }

    func weight(_ name: String) throws -> Tensor { try #require(store[name]).value }

    func linear(_ x: Tensor, _ name: String) throws -> Tensor {
        try x.matmul(weight("\(name).weight").transpose(0, 1)) + weight("\(name).bias")
    }

    func modulation(_ temb: Tensor, _ name: String, _ count: Int) throws -> [Tensor] {
        try linear(temb.silu(), "\(name).linear").unsqueeze(1).chunk(count, axis: -1)
    }

    func normalized(_ x: Tensor, _ parts: ArraySlice<Tensor>) throws -> Tensor {
        let centred = try x - x.mean([-1], keepAxes: true)
        let norm = try centred * (centred.square().mean([-1], keepAxes: true) + 1e-6).rsqrt()
        return try norm * (parts[parts.startIndex + 1] + 1) + parts[parts.startIndex]
    }

    /// Heads of `(B, L, C)`, turned by rows of cosines and sines `(B, L, 2·D)`.
    func heads(_ x: Tensor, _ names: [String], rows: Tensor?) throws -> Heads {
        func split(_ name: String) throws -> Tensor { try linear(x, name).unflatten(-1, [-1, 16]) }
        func turned(_ heads: Tensor, _ norm: String) throws -> Tensor {
            let factor = try (heads.square().mean([-1], keepAxes: true) + 1e-6).rsqrt()
            let y = try heads * factor * weight("\(norm).weight")
            guard let rows else { return y }
            let parts = try rows.unsqueeze(2).chunk(2, axis: -1)
            let pairs = try y.unflatten(-1, [-1, 2])
            let other = try Tensor.stack([pairs.select(-1, 1) * -1, pairs.select(-1, 0)], axis: -1)
            return try y * parts[0] + other.flatten(-2) * parts[1]
        }
        return Heads(
            q: try turned(split(names[0]), names[3]), k: try turned(split(names[1]), names[4]),
            v: try split(names[2]))
    }

    /// Attention of `(B, M, H, D)` to the first keys of each sample, `(B, M, H·D)`.
    func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, lengths: [Int]) throws -> Tensor {
        let samples = try lengths.enumerated().map { sample, length in
            func one(_ x: Tensor) throws -> Tensor {
                try x.narrow(0, sample, 1).transpose(1, 2)
            }
            let keys = try one(k).narrow(2, 0, length)
            let scores = try one(q).matmul(keys.transpose(-1, -2)) / 4
            return try scores.softmax(-1).matmul(one(v).narrow(2, 0, length))
                .transpose(1, 2).flatten(2)
        }
        return try .cat(samples, axis: 0)
    }

    func gelu(_ x: Tensor) throws -> Tensor {
        let inner = try (x + x * x * x * 0.044715) * 0.7978845608028654
        return try x * (inner.tanh() + 1) * 0.5
    }
}

@Suite struct ContextKeysTests {
    private let small: SmallTransformer

    init() throws { small = try SmallTransformer() }

    /// The velocity at an input, with its context's tokens as told.
    private func velocity(_ input: TransformerInput, _ use: ContextUse) throws -> Tensor {
        var streams = try small.model.embed(input)
        streams.conditions.context = use
        return try small.model.head(
            small.model.run(blocks: 0..<small.model.blockCount, on: streams))
    }

    private func input(_ lengths: [Int]) throws -> TransformerInput {
        try SmallTransformer.section(
            3, SmallTransformer.prompt(21, lengths: lengths))
    }

    @Test(arguments: [[4], [6, 3]]) func keepingChangesNoBit(lengths: [Int]) throws {
        try withoutGradients {
            let input = try input(lengths)
            let keys = ContextKeys()
            let kept = try velocity(input, .kept(keys))
            #expect(try kept.array(Float.self) == small.model(input).array(Float.self))
            // History of 2·6, 6 and 2 tokens at most, three of the picture and the text's.
            let streams = try small.model.embed(input)
            let count = streams.x.dim(1) + streams.context.dim(1) - 2 * 6
            #expect(keys.byteCount == 4 * 2 * count * 32 * 4 * lengths.count)
        }
    }

    @Test(arguments: [[4], [6, 3]]) func reuseInTheSameStepIsExact(lengths: [Int]) throws {
        try withoutGradients {
            let input = try input(lengths)
            let keys = ContextKeys()
            let wanted = try velocity(input, .kept(keys))
            try expectClose(velocity(input, .reused(keys)), wanted, "\(lengths)")
        }
    }

    /// Another step, another noise level: against the blocks written out.
    @Test(arguments: [[4], [6, 3]]) func reuseIsAttentionToKeptKeysAndValues(lengths: [Int]) throws
    {
        try withoutGradients {
            let first = try input(lengths)
            let timesteps: [Float] = lengths.count == 1 ? [620] : [620, 340]
            let second = try SmallTransformer.step(first, timesteps)
            let keys = ContextKeys()
            let exact = try velocity(second, .computed)
            _ = try velocity(first, .kept(keys))
            let found = try velocity(second, .reused(keys))
            let wanted = try writtenOut(first, second)
            try expectClose(found, wanted, absolute: 5e-5, relative: 5e-5, "\(lengths)")
            // It is an approximation: not what the whole pass gives.
            let change = try (found - exact).abs().max().item() / exact.abs().max().item()
            #expect(change > 1e-3)
        }
    }

    private func writtenOut(_ first: TransformerInput, _ second: TransformerInput) throws -> Tensor
    {
        let (model, plain) = (small.model, PlainBlocks(store: small.store))
        var (old, new) = (try model.embed(first), try model.embed(second))
        let (all, text) = (old.x.dim(1), old.context.dim(1))
        var x = try new.sectionTokens(patchSize: 2)
        let own = x.dim(1)
        let longest = first.conditioning.textLengths.max() ?? 0
        let lengths = first.conditioning.textLengths.map { all + text - longest + $0 }
        let rows = try old.rotaryRows()
        let ownRows = try rows.narrow(1, all - own, own)
        let (then, now) = (old.conditions.temb, new.conditions.temb)
        func joined(_ kept: Tensor, _ heads: Tensor) throws -> Tensor {
            let rest = kept.dim(1) - all
            return try .cat(
                [kept.narrow(1, 0, all - own), heads, kept.narrow(1, all, rest)], axis: 1)
        }
        for block in 0..<2 {
            let scope = "transformer_blocks.\(block)"
            let video = ["to_q", "to_k", "to_v", "norm_q", "norm_k"].map { "\(scope).attn.\($0)" }
            let added = ["add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k"]
                .map { "\(scope).attn.\($0)" }
            let parts = try plain.modulation(then, "\(scope).norm1", 6)
            let textParts = try plain.modulation(then, "\(scope).norm1_context", 6)
            let kept = try plain.heads(
                plain.normalized(old.x, parts[0..<2]), video, rows: rows)
            let keptText = try plain.heads(
                plain.normalized(old.context, textParts[0..<2]), added, rows: nil)
            let m = try plain.modulation(now, "\(scope).norm1", 6)
            let heads = try plain.heads(plain.normalized(x, m[0..<2]), video, rows: ownRows)
            let y = try plain.attend(
                heads.q, joined(.cat([kept.k, keptText.k], axis: 1), heads.k),
                joined(.cat([kept.v, keptText.v], axis: 1), heads.v), lengths: lengths)
            x = try x + plain.linear(y, "\(scope).attn.to_out.0") * m[2]
            let inner = try plain.gelu(
                plain.linear(plain.normalized(x, m[3..<5]), "\(scope).ff.net.0.proj"))
            x = try x + plain.linear(inner, "\(scope).ff.net.2") * m[5]
            old = try model.run(blocks: block..<block + 1, on: old)
        }
        for block in 0..<2 {
            let scope = "single_transformer_blocks.\(block)"
            let names = ["to_q", "to_k", "to_v", "norm_q", "norm_k"].map { "\(scope).attn.\($0)" }
            let parts = try plain.modulation(then, "\(scope).norm", 3)
            let tokens = try Tensor.cat([old.x, old.context], axis: 1)
            let normalized = try plain.normalized(tokens, parts[0..<2])
            // Text is not turned: the angle 0.
            let width = rows.dim(2) / 2
            let still = try Tensor.cat(
                [.ones([rows.dim(0), text, width]), .zeros([rows.dim(0), text, width])], axis: 2)
            let kept = try plain.heads(
                normalized, names, rows: .cat([rows, still], axis: 1))
            let m = try plain.modulation(now, "\(scope).norm", 3)
            let input = try plain.normalized(x, m[0..<2])
            let heads = try plain.heads(input, names, rows: ownRows)
            let y = try plain.attend(
                heads.q, joined(kept.k, heads.k), joined(kept.v, heads.v), lengths: lengths)
            let inner = try plain.gelu(plain.linear(input, "\(scope).proj_mlp"))
            x = try x + plain.linear(.cat([y, inner], axis: -1), "\(scope).proj_out") * m[2]
            old = try model.run(blocks: 2 + block..<3 + block, on: old)
        }
        new.x = x
        return try model.head(new)
    }

    @Test func reuseDoesWithoutTheTextsWeights() throws {
        try withoutGradients {
            let (input, keys) = (try input([4]), ContextKeys())
            _ = try velocity(input, .kept(keys))
            let wanted = try velocity(input, .reused(keys))
            let absence = Absence(small.store)
            let found = try velocity(input, .reused(keys))
            #expect(try found.array(Float.self) == wanted.array(Float.self))
            #expect(absence.selections.count { $0 != .all } == 2)
            let selection = try #require(absence.selections.first)
            let unread = small.store.parameters.map(\.name).filter {
                $0.hasPrefix("transformer_blocks.0.") && !selection.contains($0)
            }
            // Four products with biases, two norms, a feed-forward and the modulation.
            #expect(unread.count == 8 + 2 + 4 + 2)
        }
    }

    @Test func reuseOfWhatWasNotKeptIsRefused() throws {
        #expect {
            try withoutGradients { try velocity(input([4]), .reused(ContextKeys())) }
        } throws: {
            "\($0)".contains("transformer_blocks.0.attn. keeps no keys of the context")
        }
    }
}
