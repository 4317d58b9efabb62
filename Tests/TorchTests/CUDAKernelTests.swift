import CUDAEmulator
import TestSupport
import Testing
import Torch

/// The kernels for GPUs against libtorch's plain operations in float64: run by an emulator of ours,
/// and by a GPU where there is one.
///
/// The errors of plain operations in the same type are the yardstick.
@Suite struct CUDAKernelTests {
    private enum Place: CaseIterable {
        case emulator, gpu
    }

    private static let types: [DType] = [.float32, .bfloat16, .float16]
    private static let hasGPU: Bool = {
        try? Accelerator.loadCUDA()
        return Accelerator.cudaDeviceCount > 0
    }()
    private static let places: [Place] = hasGPU ? Place.allCases : [.emulator]

    private func random(_ shape: [Int], _ seed: UInt64, _ dtype: DType) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed)).to(dtype)
    }

    /// |a - b| / |b|, both taken in float64.
    private func error(_ a: Tensor, _ b: Tensor) throws -> Double {
        let (a, b) = (try a.to(.cpu, .float64), try b.to(.float64))
        let distance = try (a - b).square().sum().item() / b.square().sum().item()
        return distance.squareRoot()
    }

    /// What the kernels make, given a way to bring tensors to their place.
    private func fused(
        at place: Place, _ body: ((Tensor) throws -> Tensor) throws -> Tensor?
    ) throws -> Tensor? {
        try withoutGradients {
            switch place {
            case .gpu: try body { try $0.to(.cuda()) }
            case .emulator:
                try CUDAKernels.emulated(by: cuda_emulator_launch) { try body { $0 } }
            }
        }
    }

    /// Checks that the kernels come as near to the truth as the plain operations of the same type.
    private func check(
        _ name: String, _ dtype: DType, plain: (DType) throws -> Tensor,
        _ body: ((Tensor) throws -> Tensor) throws -> Tensor?
    ) throws {
        let (truth, yardstick) = (try plain(.float64), try plain(dtype))
        let bound = try 1.1 * error(yardstick, truth) + 3e-7
        for place in Self.places {
            let own = try #require(try fused(at: place, body), "\(name): no kernel")
            #expect(own.dtype == dtype && own.shape == truth.shape)
            let found = try error(own, truth)
            print("    \(name), \(dtype), \(place): error \(found), bound \(bound)")
            #expect(found <= bound, "\(name), \(dtype), \(place)")
            // A few wrong elements among many would hide in the norm.
            let largest = try (own.to(.cpu, .float64) - truth).abs().max().item()
            let usual = try (yardstick.to(.float64) - truth).abs().max().item()
            #expect(largest <= 2 * usual + 3e-5, "\(name), \(dtype), \(place): \(largest)")
        }
    }

    @Test(
        "Layer norm with factor and shift, of one sample or each, channels that fill no vector",
        arguments: [
            [2, 37, 160, 2], [1, 1, 3072, 1], [2, 3, 3072, 1], [2, 3, 30, 2], [3, 4, 7, 1],
            [1, 2, 1, 1], [1, 2, 2040, 1],
        ],
        types)
    func layerNorm(_ sizes: [Int], _ dtype: DType) throws {
        let (samples, length, size) = (sizes[0], sizes[1], sizes[2])
        let x = try random([samples, length, size], 1, dtype) * 3 + 1
        // Parts of one projection, as modulations are: they begin anywhere.
        let projection = try random([sizes[3], 1, 2 * size], 2, dtype)
        let parts = try projection.chunk(2, axis: -1)
        try check("layer norm \(sizes)", dtype) { type in
            try parts[1].to(type).addProduct(
                x.to(type).layerNorm(size, eps: 1e-6), parts[0].to(type))
        } _: { place in
            let parts = try place(projection).chunk(2, axis: -1)
            return try place(x).fusedLayerNorm(factor: parts[0], shift: parts[1], eps: 1e-6)
        }
    }

    /// Samples, tokens, heads, channels of a head; how many tokens turn; phases of each sample or of all.
    @Test(
        "Root mean square norm of heads inside a projection, some tokens turned",
        arguments: [
            [2, 23, 3, 64, 19, 1], [1, 5, 24, 128, 5, 1], [2, 4, 9, 96, 3, 2], [2, 3, 2, 30, 0, 1],
            [1, 1, 1, 256, 1, 1], [2, 6, 2, 2, 6, 2],
        ],
        types)
    func rmsNorm(_ sizes: [Int], _ dtype: DType) throws {
        let (samples, length, heads, size) = (sizes[0], sizes[1], sizes[2], sizes[3])
        let turned = sizes[4]
        let projection = try random([samples, length, 3, heads, size], 3, dtype)
        let x = try projection.select(2, 1)
        let weight = try random([size], 4, dtype)
        let angles = try random([sizes[5], turned, 1, size / 2], 5, .float32)
        let phases =
            turned > 0 ? try Tensor.stack([angles.cos(), angles.sin()], axis: -1) : nil
        try check("RMS norm \(sizes)", dtype) { type in
            let wide = try x.to(type)
            let factor = try (wide.square().mean([-1], keepAxes: true) + 1e-6).rsqrt()
            let y = try wide * factor * weight.to(type)
            guard let phases else { return y }
            let pairs = try y.narrow(1, 0, turned).unflatten(-1, [-1, 2])
            let (re, im) = (try pairs.select(-1, 0), try pairs.select(-1, 1))
            let (cosine, sine) = (
                try phases.to(type).select(-1, 0), try phases.to(type).select(-1, 1)
            )
            let both = try Tensor.stack(
                [re * cosine - im * sine, re * sine + im * cosine], axis: -1)
            return try .cat([both.flatten(-2), y.narrow(1, turned, length - turned)], axis: 1)
        } _: { place in
            try place(projection).select(2, 1).fusedRMSNorm(
                weight: place(weight), phases: phases.map(place), eps: 1e-6)
        }
    }

    @Test("Heads that begin at odd addresses", arguments: types)
    func oddAddresses(_ dtype: DType) throws {
        let wider = try random([1, 4, 3, 65], 6, dtype)
        let x = try wider.narrow(-1, 1, 64)
        let weight = try random([64], 7, dtype)
        try check("odd addresses", dtype) { type in
            let wide = try x.to(type)
            return try wide * (wide.square().mean([-1], keepAxes: true) + 1e-6).rsqrt()
                * weight.to(type)
        } _: { place in
            try place(wider).narrow(-1, 1, 64)
                .fusedRMSNorm(weight: place(weight), phases: nil, eps: 1e-6)
        }
    }

    @Test(
        "A gated residual",
        arguments: [[2, 37, 160, 2], [3, 5, 30, 1], [1, 1, 1, 1], [2, 1, 3072, 1]], types)
    func gatedResidual(_ sizes: [Int], _ dtype: DType) throws {
        let (x, branch) = (
            try random(Array(sizes[..<3]), 8, dtype), try random(Array(sizes[..<3]), 9, dtype)
        )
        let projection = try random([sizes[3], 1, 3 * sizes[2]], 10, dtype)
        let gate = try projection.chunk(3, axis: -1)[1]
        try check("gated residual \(sizes)", dtype) { type in
            try x.to(type).addProduct(branch.to(type), gate.to(type))
        } _: { place in
            try place(x).addProduct(
                place(branch), place(projection).chunk(3, axis: -1)[1])
        }
    }

    /// Samples, channels, frames, height, width; frames in front, pixels on each side; groups.
    @Test(
        "Group norm with SiLU and replicated edges",
        arguments: [
            [2, 32, 3, 5, 4, 2, 1, 16], [1, 64, 1, 2, 9, 0, 1, 32], [1, 160, 4, 20, 13, 0, 0, 4],
            [2, 12, 2, 3, 5, 1, 2, 3], [1, 512, 1, 2, 2, 2, 1, 32],
        ],
        types)
    func groupNorm(_ sizes: [Int], _ dtype: DType) throws {
        let (channels, front, side, groups) = (sizes[1], sizes[5], sizes[6], sizes[7])
        // Far from zero, each channel at another place.
        let centre = try random([1, channels, 1, 1, 1], 11, .float32) * 5 + 7
        let x = try (random(Array(sizes[..<5]), 12, .float32) * 3 + centre).to(dtype)
        let (weight, bias) = (
            try random([channels], 13, .float32), try random([channels], 14, .float32)
        )
        try check("group norm \(sizes)", dtype) { type in
            try x.to(type).groupNorm(
                groups, weight: weight.to(type), bias: bias.to(type), eps: 1e-6
            ).silu().pad([side, side, side, side, front, 0], .replicate)
        } _: { place in
            try place(x).fusedFrame(
                (groups, place(weight), place(bias), 1e-6), front: front, side: side)
        }
    }

    @Test("Edges alone are copies, for any number of channels and any rows", arguments: types)
    func edges(_ dtype: DType) throws {
        let x = try random([2, 3, 2, 4, 5], 15, dtype)
        let wanted = try x.pad([2, 2, 2, 2, 3, 0], .replicate)
        for place in Self.places {
            let some = try fused(at: place) { move in
                try move(x).fusedFrame(scales: nil, front: 3, side: 2, rows: 1..<6)
            }
            let rows = try #require(some).to(.cpu)
            #expect(try (rows - wanted.narrow(3, 1, 5)).abs().max().item() == 0)
        }
    }

    @Test("A NaN stays one in its row, and an infinity does not become a number")
    func notANumber() throws {
        let marks = try Tensor.cat(
            [.full([1], .nan), .full([1], .infinity), .zeros([30])], axis: 0)
        for dtype in Self.types {
            let x = try marks.to(dtype).expand([1, 2, 32]).contiguous()
            let sum = try #require(
                try fused(at: .emulator) { _ in
                    try x.addProduct(x, .ones([1, 1, 32]).to(dtype))
                })
            let row = try sum.to(.float32).select(0, 0).select(0, 1)
            #expect(try row.narrow(0, 0, 1).item().isNaN)
            #expect(try row.narrow(0, 1, 1).item() == .infinity)
            #expect(try row.narrow(0, 2, 30).abs().max().item() == 0)
        }
    }

    @Test(
        "A product and the GELU after it, in the form that libtorch joins there", arguments: types)
    func joinedGELU(_ dtype: DType) throws {
        let x = try random([2, 37, 96], 16, dtype)
        let weight = try (random([160, 96], 17, .float32) * 0.2).to(dtype)
        let bias = try random([160], 18, dtype)
        for place in Self.places {
            let form: GELU = place == .gpu ? .tanh : .exact
            let truth = try Kernels.plainly {
                try x.to(.float64).linear(weight.to(.float64), bias.to(.float64), then: .gelu(form))
            }
            let found = try #require(
                try fused(at: place) { move in
                    try move(x).fusedLinear(move(weight), move(bias), then: .gelu(form))
                })
            #expect(found.dtype == dtype && found.shape == [2, 37, 160])
            let own = try error(found, truth)
            print("    product and GELU, \(dtype), \(place): error \(own)")
            #expect(own < (dtype == .float32 ? 1e-5 : 8e-3))
            // No bias, another bend, an input with gaps: nothing is joined.
            let others = try fused(at: place) { move in
                let x = try move(x)
                let apart = try x.transpose(0, 1)
                return try x.fusedLinear(move(weight), nil, then: .gelu(form))
                    ?? x.fusedLinear(move(weight), move(bias), then: .silu)
                    ?? apart.fusedLinear(move(weight), move(bias), then: .gelu(form))
            }
            #expect(others == nil)
        }
    }

    @Test("What is too large, or of another type, goes the plain way")
    func plainWays() throws {
        func layerNorm(_ size: Int, _ dtype: DType) throws -> Tensor? {
            let factor = try Tensor.ones([1, 1, size]).to(dtype)
            return try fused(at: .emulator) { _ in
                try Tensor.ones([1, 2, size]).to(dtype)
                    .fusedLayerNorm(factor: factor, shift: factor, eps: 1e-6)
            }
        }
        #expect(try layerNorm(16_384, .bfloat16) != nil)
        #expect(try layerNorm(16_392, .bfloat16) == nil)
        #expect(try layerNorm(32, .float64) == nil)
        for size in [33, 258] {
            let heads = try Tensor.ones([1, 2, 2, size])
            let result = try fused(at: .emulator) { _ in
                try heads.fusedRMSNorm(weight: .ones([size]), phases: nil, eps: 1e-6)
            }
            #expect(result == nil, "\(size)")
        }
        let plain = try fused(at: .emulator) { _ in
            try Kernels.$current.withValue(.plain) {
                try Tensor.ones([1, 2, 2, 64])
                    .fusedRMSNorm(weight: .ones([64]), phases: nil, eps: 1e-6)
            }
        }
        #expect(plain == nil)
    }
}
