import Foundation
import Testing
import Torch

@Suite("Operations of networks")
struct NetworkTests {
    @Test("Activations")
    func activations() throws {
        let a = try values(-1, 0, 2)
        let sigmoid = { (x: Double) in 1 / (1 + exp(-x)) }
        try expectValues(a.silu(), [-sigmoid(-1), 0, 2 * sigmoid(2)])
        try expectValues(a.relu(), [0, 0, 2])
        try expectValues(a.softplus(), [log(1 + exp(-1)), log(2), log(1 + exp(2))])
        let exact = { (x: Double) in x * (1 + erf(x / 2.0.squareRoot())) / 2 }
        try expectValues(a.gelu(.exact), [-1, 0, 2].map(exact))
        let tanhForm = { (x: Double) in
            x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
        try expectValues(a.gelu(.tanh), [-1, 0, 2].map(tanhForm))
        let sum = exp(-1) + 1 + exp(2.0)
        try expectValues(a.softmax(0), [exp(-1) / sum, 1 / sum, exp(2) / sum])
        try expectValues(a.logSoftmax(0), [-1 - log(sum), -log(sum), 2 - log(sum)])
    }

    @Test("Norms")
    func norms() throws {
        let a = try values(1, 3, -2, 2, shape: [2, 2])
        try expectValues(a.layerNorm(2, eps: 0), [-1, 1, -1, 1])
        try expectValues(
            a.layerNorm(2, weight: values(2, 3), bias: values(1, 0), eps: 0), [-1, 3, -1, 3])
        try expectValues(
            a.layerNorm(2, eps: 3), [-0.5, 0.5, -2 / 7.0.squareRoot(), 2 / 7.0.squareRoot()])
        let grouped = try values(1, 3, -2, 2, shape: [1, 4, 1])
        try expectValues(grouped.groupNorm(2, weight: nil, bias: nil, eps: 0), [-1, 1, -1, 1])
    }

    @Test("Matrix products")
    func products() throws {
        let (a, b) = (
            try values(1, 2, 3, 4, shape: [2, 2]), try values(5, 6, 7, 8, shape: [2, 2])
        )
        try expectValues(a.matmul(b), [19, 22, 43, 50])
        try expectValues(
            a.unsqueeze(0).batchedMatmul(b.unsqueeze(0)), [19, 22, 43, 50], shape: [1, 2, 2])
        try expectValues(a.linear(b, values(1, -1)), [18, 22, 40, 52])
        try expectValues(a.linear(b), [17, 23, 39, 53])
        try expectValues(values(1, 2).outer(values(3, 4)), [3, 4, 6, 8], shape: [2, 2])
        try expectValues(a.embedding(Tensor([1, 0, 1] as [Int64])), [3, 4, 1, 2, 3, 4])
    }

    @Test("Convolutions, pooling and enlarging")
    func convolutions() throws {
        let image = try Tensor.arange(0, 12, dtype: .float64).reshape(1, 1, 3, 4)
        let kernel = try values(1, 0, 0, -1, shape: [1, 1, 2, 2])
        try expectValues(
            image.conv2d(kernel, values(0.5)), Array(repeating: -4.5, count: 6),
            shape: [1, 1, 2, 3])
        #expect(
            try image.conv2d(kernel, nil, stride: [2, 2], padding: [1, 0]).shape == [1, 1, 2, 2])
        let video = try Tensor.arange(0, 8, dtype: .float64).reshape(1, 1, 2, 2, 2)
        let box = try Tensor.ones([1, 1, 2, 2, 2], dtype: .float64)
        try expectValues(video.conv3d(box, nil), [28], shape: [1, 1, 1, 1, 1])
        #expect(
            try video.conv3d(box, nil, stride: [1, 2, 2], padding: [1, 0, 0]).shape
                == [1, 1, 3, 1, 1])
        try expectValues(video.averagePool3d([1, 2, 2]), [1.5, 5.5])
        try expectValues(
            video.narrow(2, 0, 1).upsampleNearest3d([2, 1, 2]).flatten(),
            [0, 0, 1, 1, 2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3])
    }

    @Test("Pictures pooled, at another size, and at the places of a grid")
    func pictures() throws {
        let image = try Tensor.arange(0, 12, dtype: .float64).reshape(1, 1, 3, 4)
        try expectValues(image.averagePool2d(2), [2.5, 4.5], shape: [1, 1, 1, 2])
        try expectValues(image.maxPool2d(2, stride: 1), [5, 6, 7, 9, 10, 11], shape: [1, 1, 2, 3])
        let line = try values(0, 3, 9, shape: [1, 1, 1, 3])
        try expectValues(
            line.resized([1, 5], .bilinear(alignsCorners: true)).flatten(), [0, 1.5, 3, 6, 9])
        try expectValues(
            line.resized([1, 6], .bilinear(alignsCorners: false)).flatten(),
            [0, 0.75, 2.25, 4.5, 7.5, 9])
        // Keys' cubic with a = -0.75 at a quarter: -0.10546875, 0.87890625, 0.26171875, -0.03515625.
        try expectValues(
            line.resized([1, 6], .bicubic).narrow(3, 3, 1).flatten(),
            [0 * -0.10546875 + 3 * 0.87890625 + 9 * 0.26171875 + 9 * -0.03515625])
        let grid = try values(-1, -1, 1, 1, 0, 0, -2, 0, shape: [1, 1, 4, 2])
        try expectValues(image.gridSampled(grid), [0, 11, 5.5, 0], shape: [1, 1, 1, 4])
    }

    /// Softmax attention written out with a table of scores.
    static func plain(_ q: Tensor, _ k: Tensor, _ v: Tensor, hidden: Tensor?, scale: Double)
        throws -> Tensor
    {
        var scores = try q.matmul(k.transpose(-1, -2)) * scale
        if let hidden { scores = try scores.filled(-.infinity, where: hidden) }
        return try scores.softmax(-1).matmul(v)
    }

    @Test("Attention is softmax over scores, with masks, causally and with shared keys")
    func attention() throws {
        let generator = try Generator(seed: 4)
        func draw(_ shape: [Int]) throws -> Tensor {
            try .randn(shape, generator: generator, dtype: .float64)
        }
        let (q, k, v) = (try draw([2, 4, 5, 8]), try draw([2, 4, 5, 8]), try draw([2, 4, 5, 8]))
        let scale = 1 / 8.0.squareRoot()
        func expectSame(_ a: Tensor, _ b: Tensor) throws {
            #expect(try (a - b).abs().max().item() < 1e-12)
        }
        try expectSame(
            .attention(q, k, v), Self.plain(q, k, v, hidden: nil, scale: scale))
        try expectSame(
            .attention(q, k, v, scale: 0.3), Self.plain(q, k, v, hidden: nil, scale: 0.3))
        let row = try Tensor.arange(0, 5).unsqueeze(1)
        let later = try row.less(Tensor.arange(0, 5))
        try expectSame(
            .attention(q, k, v, causal: true), Self.plain(q, k, v, hidden: later, scale: scale))
        let open = try Tensor.arange(0, 5).less(3).reshape(1, 1, 1, 5)
        try expectSame(
            .attention(q, k, v, mask: open.expand([2, 1, 5, 5])),
            Self.plain(q, k, v, hidden: open.not(), scale: scale))
        let (few, fewer) = (try k.narrow(1, 0, 2), try v.narrow(1, 0, 2))
        try expectSame(
            .attention(q, few, fewer, groupedQueries: true),
            Self.plain(
                q, few.repeatInterleaved(2, axis: 1), fewer.repeatInterleaved(2, axis: 1),
                hidden: nil, scale: scale))
    }

    @Test("Losses")
    func losses() throws {
        let (a, b) = (try values(1, 2), try values(3, 2.5))
        #expect(try a.squaredError(b).item() == 2.125)
        #expect(try a.squaredError(b, .sum).item() == 4.25)
        try expectValues(a.squaredError(b, .none), [4, 0.25])
        #expect(try a.absoluteError(b).item() == 1.25)
    }
}
