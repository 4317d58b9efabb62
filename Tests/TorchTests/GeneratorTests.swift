import Foundation
import TestSupport
import Testing
import Torch

@Suite("Random numbers are torch's own")
struct GeneratorTests {
    static func shape(_ text: Substring) -> [Int] {
        text.split(separator: "x").compactMap { Int($0) }
    }

    /// Draws what a golden's name asks for; nil for draws of a sequence.
    static func draw(_ name: String) throws -> Tensor? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 3, let seed = UInt64(parts[1]) else { return nil }
        let generator = try Generator(seed: seed)
        switch parts[0] {
        case "randn": return try .randn(shape(parts[2]), generator: generator)
        case "randn_float64":
            return try .randn(shape(parts[2]), generator: generator, dtype: .float64)
        case "randn_float16":
            return try .randn(shape(parts[2]), generator: generator, dtype: .float16)
        case "randn_bfloat16":
            return try .randn(shape(parts[2]), generator: generator, dtype: .bfloat16)
        case "rand": return try .rand(shape(parts[2]), generator: generator)
        case "randperm": return try Int(parts[2]).map { try .randperm($0, generator: generator) }
        case "randint":
            guard let low = Int(parts[2]), let high = parts.last.flatMap({ Int($0) }) else {
                return nil
            }
            return try .randint(low..<high, [20], generator: generator)
        default: return nil
        }
    }

    /// Whether torch 2.13, which made the goldens, draws other numbers than libtorch 2.11.
    ///
    /// It draws 16 or more half-precision numbers in float32 and rounds them.
    static func differsByVersion(_ wanted: Tensor) -> Bool {
        [.float16, .bfloat16].contains(wanted.dtype) && wanted.count >= 16
    }

    @Test("Each kind, seed, shape and type but long draws in half precision")
    func goldens() throws {
        let goldens = try Fixtures.tensors("rng/rng.safetensors")
        var (checked, passedOver, largest) = (0, 0, 0.0)
        for (name, wanted) in goldens where !name.hasPrefix("sequence") {
            let found = try #require(try Self.draw(name), "\(name)")
            #expect(found.shape == wanted.shape && found.dtype == wanted.dtype, "\(name)")
            if Self.differsByVersion(wanted) {
                passedOver = passedOver + 1
                continue
            }
            let difference = try (found.to(.float64) - wanted.to(.float64)).abs().max().item()
            // Vector units differ in the last bits of logarithm and cosine.
            let bound = name.hasPrefix("randn") ? (wanted.dtype == .float64 ? 1e-14 : 1e-6) : 0
            #expect(difference <= bound, "\(name)")
            (checked, largest) = (checked + 1, max(largest, difference))
        }
        print("    \(checked) draws: largest difference \(largest)")
        #expect(checked == 82 && passedOver == 18)
    }

    @Test("Draws one after another from one generator", arguments: [0, 31337, (1 << 40) + 3])
    func sequence(_ seed: UInt64) throws {
        let goldens = try Fixtures.tensors("rng/rng.safetensors")
        let generator = try Generator(seed: seed)
        let names = goldens.keys.filter { $0.hasPrefix("sequence.\(seed).") }.sorted()
        #expect(names.count == 8)
        for name in names {
            let wanted = try #require(goldens[name])
            let found: Tensor
            if name.hasSuffix("rand") {
                found = try .rand(wanted.shape, generator: generator)
            } else if name.hasSuffix("randperm") {
                found = try .randperm(wanted.count, generator: generator)
            } else {
                found = try .randn(wanted.shape, generator: generator)
            }
            try expectClose(found, wanted, absolute: 1e-6, relative: 0, name)
        }
    }

    @Test("A stored state continues the stream, in another generator too")
    func state() throws {
        let generator = try Generator(seed: 7)
        _ = try Tensor.randn([5], generator: generator)
        let state = try generator.state()
        #expect(state.dtype == .uint8 && state.rank == 1)
        let wanted = try Tensor.randn([40], generator: generator).array(Float.self)
        let other = try Generator(seed: 99)
        try other.setState(state)
        #expect(try Tensor.randn([40], generator: other).array(Float.self) == wanted)
        try generator.setState(state)
        #expect(try Tensor.randn([40], generator: generator).array(Float.self) == wanted)
        #expect(message { try generator.setState(.zeros([3], dtype: .uint8)) } != "")
    }

    @Test("The fills in place draw from the generator that is given")
    func fills() throws {
        let (a, b) = (try Tensor.empty([50]), try Tensor.empty([50]))
        try a.uniformInPlace(2, 3, generator: Generator(seed: 1))
        try b.uniformInPlace(2, 3, generator: Generator(seed: 1))
        #expect(try a.array(Float.self) == b.array(Float.self))
        #expect(try a.min().item() >= 2 && a.max().item() < 3)
        try a.normalInPlace(mean: 10, deviation: 0.1, generator: Generator(seed: 1))
        let plain = try Tensor.randn([50], generator: Generator(seed: 1))
        try expectClose(a, plain * 0.1 + 10, absolute: 1e-5, "normal")
    }
}
