import TestSupport
import Testing
import Torch

/// Fused kernels against libtorch's plain operations in float64, at every level of instructions that
/// this processor has.
///
/// The errors of plain operations in the same type are the yardstick.
@Suite struct KernelTests {
    private static let levels = Array(0...Kernels.level)
    private static let types: [DType] = [.float32, .bfloat16]

    private func random(_ shape: [Int], _ seed: UInt64, _ dtype: DType) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed)).to(dtype)
    }

    /// |a - b| / |b|, both taken in float64.
    private func error(_ a: Tensor, _ b: Tensor) throws -> Double {
        let (a, b) = (try a.to(.float64), try b.to(.float64))
        let distance = try (a - b).square().sum().item() / b.square().sum().item()
        return distance.squareRoot()
    }

    /// Checks a fused result at each level: as near to the truth as the plain one, and not the plain
    /// one itself.
    private func check(
        _ name: String, _ dtype: DType, _ truth: Tensor, from first: Int = 1,
        _ body: () throws -> Tensor?
    ) throws {
        defer { Kernels.limit(to: 3) }
        let plain = try Kernels.$current.withValue(.plain) { try body() }
        for level in Self.levels {
            Kernels.limit(to: level)
            let fused = try withoutGradients { try body() }
            guard let fused, level >= first else {
                #expect(level < first, "\(name): no kernel at level \(level)")
                continue
            }
            #expect(fused.dtype == dtype && fused.shape == truth.shape)
            let own = try error(fused, truth)
            let bound = try plain.map { try 1.1 * error($0, truth) + 3e-7 } ?? 3e-3
            print("    \(name), \(dtype), level \(level): error \(own), bound \(bound)")
            #expect(own <= bound, "\(name), \(dtype), level \(level)")
        }
    }

    @Test(
        "Attention, with lengths that fill no tile and heads that fill no vector",
        arguments: [
            [2, 3, 77, 50, 64], [1, 2, 5, 700, 32], [1, 1, 130, 513, 96], [1, 2, 1, 1, 128],
        ],
        types)
    func attention(_ sizes: [Int], _ dtype: DType) throws {
        let (b, h, l, s, d) = (sizes[0], sizes[1], sizes[2], sizes[3], sizes[4])
        // As a network makes them: heads side by side in one projection.
        let q = try random([b, l, h * d], 1, dtype).unflatten(-1, [h, d]).transpose(1, 2)
        let k = try random([b, s, 2 * h, d], 2, dtype).narrow(2, 0, h).transpose(1, 2)
        let v = try random([b, s, h, d], 3, dtype).transpose(1, 2)
        let truth = try Tensor.attention(q.to(.float64), k.to(.float64), v.to(.float64))
        try check("attention \(sizes)", dtype, truth) {
            let result = try Tensor.attention(q, k, v)
            return Kernels.level == 0 ? nil : result
        }
    }

    @Test("Layer norm with factor and shift", arguments: types)
    func layerNorm(_ dtype: DType) throws {
        let x = try random([2, 37, 160], 4, dtype) * 3 + 1
        // Parts of one projection, as modulations are.
        let parts = try random([2, 1, 320], 5, dtype).chunk(2, axis: -1)
        func plain(_ type: DType) throws -> Tensor {
            try parts[1].to(type).addProduct(
                x.to(type).layerNorm(160, eps: 1e-6), parts[0].to(type))
        }
        try check("layer norm", dtype, plain(.float64)) {
            guard Kernels.current == .fused else { return try plain(dtype) }
            return try x.fusedLayerNorm(factor: parts[0], shift: parts[1], eps: 1e-6)
        }
    }

    @Test("Root mean square norm, some tokens turned", arguments: types, [0, 19, 23])
    func rmsNorm(_ dtype: DType, _ turned: Int) throws {
        let x = try random([2, 23, 3, 64], 6, dtype)
        let weight = try random([64], 7, dtype)
        let angles = try random([1, turned, 1, 32], 8, .float32)
        let phases =
            turned > 0 ? try Tensor.stack([angles.cos(), angles.sin()], axis: -1) : nil
        func plain(_ type: DType) throws -> Tensor {
            let wide = try x.to(type)
            let factor = try (wide.square().mean([-1], keepAxes: true) + 1e-6).rsqrt()
            let y = try wide * factor * weight.to(type)
            guard let phases else { return y }
            let (a, b) = (
                try y.narrow(1, 0, turned).unflatten(-1, [-1, 2]), try phases.to(type)
            )
            let (re, im) = (try a.select(-1, 0), try a.select(-1, 1))
            let (cosine, sine) = (try b.select(-1, 0), try b.select(-1, 1))
            let pairs = try Tensor.stack(
                [re * cosine - im * sine, re * sine + im * cosine], axis: -1)
            return try .cat(
                [pairs.flatten(-2), y.narrow(1, turned, 23 - turned)], axis: 1)
        }
        try check("RMS norm, \(turned) turned", dtype, plain(.float64)) {
            guard Kernels.current == .fused else { return try plain(dtype) }
            return try x.fusedRMSNorm(weight: weight, phases: phases, eps: 1e-6)
        }
    }

    @Test(
        "Group norm with SiLU and replicated edges", arguments: types,
        [[2, 32, 3, 5, 4, 2, 1], [1, 64, 1, 2, 9, 0, 1], [1, 160, 4, 20, 13, 0, 0]])
    func groupNorm(_ dtype: DType, _ sizes: [Int]) throws {
        let (channels, front, side) = (sizes[1], sizes[5], sizes[6])
        // Far from zero, each channel at another place, some activations far out.
        let place = try random([1, channels, 1, 1, 1], 9, .float32) * 5 + 7
        let x = try (random(Array(sizes[..<5]), 10, .float32) * 3 + place).to(dtype)
        let (weight, bias) = (
            try random([channels], 11, .float32) * 20, try random([channels], 12, .float32)
        )
        func plain(_ type: DType) throws -> Tensor {
            try x.to(type).groupNorm(
                16, weight: weight.to(type), bias: bias.to(type), eps: 1e-6
            ).silu().pad([side, side, side, side, front, 0], .replicate)
        }
        try check("group norm \(sizes)", dtype, plain(.float64)) {
            guard Kernels.current == .fused else { return try plain(dtype) }
            return try x.fusedFrame((16, weight, bias, 1e-6), front: front, side: side)
        }
    }

    @Test("Edges alone are copies, for any number of channels", arguments: types)
    func edges(_ dtype: DType) throws {
        let x = try random([2, 3, 2, 4, 5], 13, dtype)
        let framed = try withoutGradients { try x.fusedFrame(nil, front: 3, side: 2) }
        let wanted = try x.pad([2, 2, 2, 2, 3, 0], .replicate)
        if Kernels.level > 0 {
            #expect(try (#require(framed) - wanted).abs().max().item() == 0)
        }
    }

    @Test("A convolution with packed weights, added to what is there", arguments: types)
    func convolution(_ dtype: DType) throws {
        let x = try random([2, 32, 4, 9, 7], 14, dtype).contiguous(.channelsLast3d)
        let weight = try (random([48, 32, 3, 3, 3], 15, .float32) * 0.05).to(dtype)
        let bias = try random([48], 16, dtype)
        let added = try random([2, 48, 2, 7, 5], 17, dtype).contiguous(.channelsLast3d)
        func plain(_ type: DType) throws -> Tensor {
            try Kernels.$current.withValue(.plain) {
                try added.to(type) + x.to(type).conv3d(weight.to(type), bias.to(type))
            }
        }
        let (none, one) = ([0, 0, 0], [1, 1, 1])
        // Below AVX512 oneDNN does not compute in half precision.
        let first = dtype == .bfloat16 ? 2 : 1
        try check("convolution", dtype, plain(.float64), from: first) {
            guard Kernels.current == .fused else { return try plain(dtype) }
            return try x.packedConvolutionWeight(weight, stride: one).flatMap {
                try x.fusedConvolution($0, bias, adding: added, stride: one, padding: none)
            }
        }
    }

    @Test(
        "A linear map and its activation", arguments: types,
        [nil, .gelu(.tanh), .gelu(.exact), .silu, .quickGELU] as [Activation?])
    func linear(_ dtype: DType, _ activation: Activation?) throws {
        let x = try random([2, 37, 96], 18, dtype)
        let weight = try (random([160, 96], 19, .float32) * 0.2).to(dtype)
        let bias = try random([160], 20, dtype)
        func result(_ type: DType) throws -> Tensor {
            try x.to(type).linear(weight.to(type), bias.to(type), then: activation)
        }
        let own = try withoutGradients { try x.fusedLinear(weight, bias, then: activation) }
        let isOurs = Kernels.level >= (dtype == .bfloat16 ? 2 : 1) && activation != .quickGELU
        #expect((own != nil) == isOurs)
        let truth = try Kernels.plainly { try result(.float64) }
        try check("linear \(activation.map { "\($0)" } ?? "")", dtype, truth) {
            Kernels.level == 0 ? nil : try result(dtype)
        }
    }

    @Test("A NaN anywhere stays one")
    func notANumber() throws {
        try withoutGradients {
            for place in 0..<3 {
                var parts = try (0..<3).map { try random([1, 1, 70, 32], UInt64($0), .bfloat16) }
                let mark = try Tensor.arange(0, 32).less(.full([1], 1)).to(.float32)
                let row = try Tensor.cat(
                    [(mark / (1 - mark) * 0).unsqueeze(0), .zeros([69, 32])], axis: 0)
                parts[place] = try (parts[place].to(.float32) + row.unsqueeze(0).unsqueeze(0))
                    .to(.bfloat16)
                let result = try Tensor.attention(parts[0], parts[1], parts[2])
                #expect(try !result.to(.float32).sum().item().isFinite, "part \(place)")
            }
        }
    }

    @Test("Gradients, masks and odd sizes go the plain way")
    func plainWays() throws {
        let x = try random([1, 1, 8, 32], 1, .float32)
        try x.setRequiresGradient(true)
        let y = try Tensor.attention(x, x, x).sum()
        try y.backward()
        #expect(try x.gradient() != nil)
        try withoutGradients {
            let heads = try random([1, 5, 2, 30], 2, .float32)
            let narrow = try heads.fusedRMSNorm(weight: .ones([30]), phases: nil, eps: 1e-6)
            #expect(narrow == nil)
            // Phases of another layout would be read beyond their end.
            let whole = try random([1, 5, 2, 32], 2, .float32)
            for shape in [
                [1, 5, 2, 16, 2], [1, 5, 1, 16, 1], [1, 6, 1, 16, 2], [2, 5, 1, 16, 2],
            ] {
                let phases = try random(shape, 3, .float32)
                let turned = try whole.fusedRMSNorm(weight: .ones([32]), phases: phases, eps: 1e-6)
                #expect(turned == nil, "\(shape)")
            }
            let elsewhere = try Tensor.ones([1, 5, 1, 16, 2]).to(.meta)
            #expect(
                try whole.fusedRMSNorm(weight: .ones([32]), phases: elsewhere, eps: 1e-6) == nil)
            let tokens = try random([1, 5, 40], 2, .float32)
            let odd = try tokens.fusedLayerNorm(
                factor: .ones([1, 1, 40]), shift: .zeros([1, 1, 40]), eps: 1e-6)
            #expect(odd == nil)
        }
    }
}
