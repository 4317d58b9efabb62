import TestSupport
import Testing
import Torch

@Suite struct AttentionChoicesTests {
    private func kind(queries: Int = 18_289, keys: Int = 18_289, _ dtype: DType = .bfloat16)
        -> AttentionClass?
    { AttentionClass(.cuda(), dtype, headSize: 128, queries: queries, keys: keys) }

    private func measured(flash: Double?, cuDNN: Double?) throws -> AttentionChoices.Measurement {
        try AttentionChoices.Measurement(of: #require(kind())) { $0 == .flash ? flash : cuDNN }
    }

    @Test("The quicker way is taken, FlashAttention where they hardly differ")
    func quickerWay() throws {
        #expect(try measured(flash: 0.013, cuDNN: 0.008).way == .cuDNN)
        #expect(try measured(flash: 0.008, cuDNN: 0.013).way == .flash)
        #expect(try measured(flash: 0.0100, cuDNN: 0.0098).way == .flash)
        #expect(try measured(flash: 0.0100, cuDNN: 0.0096).way == .cuDNN)
    }

    @Test("A way that is not possible is not taken")
    func impossibleWays() throws {
        #expect(try measured(flash: nil, cuDNN: 0.01).way == .cuDNN)
        #expect(try measured(flash: 0.01, cuDNN: nil).way == .flash)
        #expect(try measured(flash: nil, cuDNN: nil).way == nil)
    }

    @Test("Lengths between two powers of two share a measurement; other types and heads do not")
    func classes() throws {
        let one = try #require(kind())
        #expect(one.queries == 16_384 && one.keys == 16_384)
        #expect(kind(queries: 16_384, keys: 32_767) == one)
        #expect(kind(queries: 16_383) != one && kind(keys: 32_768) != one)
        #expect(kind(.float16) != one)
        #expect(
            AttentionClass(.cuda(1), .bfloat16, headSize: 128, queries: 20_000, keys: 20_000) != one
        )
        #expect(
            AttentionClass(.cuda(), .bfloat16, headSize: 64, queries: 20_000, keys: 20_000) != one)
    }

    @Test("What is short, or in single precision, goes libtorch's usual way")
    func nothingToChoose() {
        #expect(kind(queries: 1023) == nil && kind(keys: 77) == nil)
        #expect(kind(.float32) == nil)
        #expect(kind(queries: 1024, keys: 1024) != nil)
    }

    @Test("A class is measured once, in the order of use")
    func oneMeasurement() throws {
        var choices = AttentionChoices()
        let first = try measured(flash: 2, cuDNN: 1)
        choices.add(first)
        choices.add(try measured(flash: 1, cuDNN: 2))
        let other = try #require(kind(.float16))
        choices.add(try AttentionChoices.Measurement(of: other) { _ in 1 })
        #expect(choices.measurement(of: first.kind) == first)
        #expect(choices.measurement(of: other)?.way == .flash)
        #expect(choices.measurements.map(\.kind) == [first.kind, other])
        #expect(choices.measurement(of: try #require(kind(keys: 1024))) == nil)
    }

    @Test("A choice is told with both times")
    func text() throws {
        #expect(
            try measured(flash: 0.01305, cuDNN: 0.0081).text
                == "cuDNN for cuda:0, bfloat16, heads of 128, from 16384 queries and 16384 keys on: "
                + "8.10 ms, FlashAttention 13.05 ms")
        #expect(
            try measured(flash: 0.0002, cuDNN: nil).text.hasSuffix(": 0.20 ms, cuDNN not possible"))
        #expect(
            try measured(flash: nil, cuDNN: nil).text.hasPrefix("neither FlashAttention nor cuDNN"))
    }

    @Test(
        "What libtorch is asked first leaves its order as it was", arguments: AttentionWay.allCases)
    func order(_ way: AttentionWay) throws {
        let before = Tensor.attentionOrder
        #expect(before.sorted() == [0, 1, 2, 3, 4])
        let heads = try (0..<3).map {
            try Tensor.randn([1, 2, 40, 32], generator: Generator(seed: $0))
        }
        let found = try withoutGradients {
            try Tensor.attention(heads[0], heads[1], heads[2], scale: nil, asking: way)
        }
        #expect(Tensor.attentionOrder == before)
        // A CPU has no way of cuDNN's.
        #expect(found.taken == 0 || found.taken == 1)
        let wide = try heads.map { try $0.to(.float64) }
        try expectClose(found.result, Tensor.attention(wide[0], wide[1], wide[2]))
        #expect(throws: TorchError.self) {
            try Tensor.attention(
                heads[0], heads[1].narrow(-1, 0, 8), heads[2], scale: nil, asking: way)
        }
        #expect(Tensor.attentionOrder == before)
    }

    @Test("A CPU chooses nothing")
    func processor() throws {
        let heads = try Tensor.randn([1, 1, 1024, 32]).to(.bfloat16)
        _ = try withoutGradients { try Tensor.attention(heads, heads, heads) }
        #expect(AttentionChoices.current.measurements.allSatisfy { $0.kind.device.kind == .cuda })
    }
}
