import Checkpoints
import Foundation
import FramePack
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct StreamedNetworkTests {
    private static let small = Fixtures.folder.appendingPathComponent("../../Models/small")

    private static func transformer(_ room: StreamedRoom?, _ dtype: DType = .bfloat16) throws
        -> Transformer
    {
        try Transformer(
            folder: small.appendingPathComponent("transformer"), dtype: dtype, streaming: room)
    }

    private static func streams(_ transformer: Transformer) -> [String] {
        transformer.linears.filter { $0.layer.weightStream != nil }.map(\.name)
    }

    private static func velocity(_ transformer: Transformer, _ memory: RunMemory) throws -> [Float]
    {
        let config = transformer.config
        let generator = try Generator(seed: 3)
        func draw(_ shape: Int...) throws -> Tensor { try .randn(shape, generator: generator) }
        let input = TransformerInput(
            latents: try draw(1, 16, 2, 8, 8), timestep: try .full([1], 500),
            guidance: try .full([1], 2000), indices: .shared([0, 1]),
            conditioning: Conditioning(
                promptEmbeds: try draw(1, 8, config.textSize),
                pooled: try draw(1, config.pooledSize)))
        return try withoutGradients {
            let execution = Execution(dtype: .bfloat16, memory: memory)
            return try transformer(input, execution).array(Float.self)
        }
    }

    private static let largest = 2 * 6 * 256 * 256

    @Test("A streamed transformer gives the loaded one's bits, from any room")
    func sameBits() throws {
        let loaded = try Self.transformer(nil)
        let wanted = try Self.velocity(loaded, RunMemory())
        #expect(Self.streams(loaded).isEmpty)
        for room in [
            StreamedRoom(ring: Self.largest), StreamedRoom(ring: 5 * Self.largest / 2),
            StreamedRoom(ring: 3 * Self.largest, resident: 5_000_000),
        ] {
            let streamed = try Self.transformer(room)
            #expect(!Self.streams(streamed).isEmpty)
            let memory = RunMemory()
            for _ in 0..<3 { #expect(try Self.velocity(streamed, memory) == wanted) }
            let stream = streamed.linears.lazy.compactMap(\.layer.weightStream).first
            #expect(try #require(stream).capacity == room.ring)
        }
    }

    @Test("What stays is spread evenly, and is as much as there is room for")
    func spreading() throws {
        let all = Self.streams(try Self.transformer(StreamedRoom(ring: Self.largest)))
        let bytes = Dictionary(
            uniqueKeysWithValues: try Self.transformer(nil).linears.map {
                ($0.name, 2 * $0.layer.inputSize * $0.layer.outputSize)
            })
        func size(_ names: [String]) -> Int { names.reduce(0) { $0 + bytes[$1, default: 0] } }
        let half = size(all) / 2
        let streamed = try Self.transformer(StreamedRoom(ring: Self.largest, resident: half))
        let names = Self.streams(streamed)
        #expect(abs(size(names) - half) <= Self.largest)
        // As much of the first half of the blocks comes as of the second.
        let blocks = ["transformer_blocks.0.", "single_transformer_blocks.2."]
        for block in blocks {
            let here = size(names.filter { $0.hasPrefix(block) })
            let there = size(all.filter { $0.hasPrefix(block) })
            #expect(abs(2 * here - there) <= 2 * Self.largest, "\(block)")
            #expect(here > 0 && here < there, "\(block)")
        }
        let whole = try Self.transformer(StreamedRoom(ring: Self.largest, resident: 1 << 40))
        #expect(Self.streams(whole).isEmpty)
    }

    @Test func aStreamedTextEncoderGivesTheLoadedOnesBits() throws {
        let folder = Self.small.appendingPathComponent("text_encoder")
        func states(_ room: StreamedRoom?) throws -> [Float] {
            let encoder = try LlamaTextEncoder(folder: folder, streaming: room)
            let ids = try Tensor([1, 5, 9, 12, 3] as [Int64], [1, 5])
            return try withoutGradients { try encoder(ids, dtype: .float32).array(Float.self) }
        }
        #expect(try states(StreamedRoom(ring: 1 << 20)) == states(nil))
    }

    @Test func roomComesBackWhenTheTransformerIsUsedAgain() throws {
        let model = try ModelFolder(Self.small)
        var plan = MemoryPlan.usual(on: .cpu)
        plan.transformer = .streamed(ring: 3 * Self.largest, resident: 0)
        let library = ModelLibrary(model, precision: .uniform(.bfloat16), memory: plan)
        let wanted = try Self.velocity(Self.transformer(nil), RunMemory())
        for _ in 0..<2 {
            #expect(try Self.velocity(library.transformer(), RunMemory()) == wanted)
            try library.giveRoomBack()
        }
    }

    @Test("A LoRA acts on weights that come and go")
    func lora() throws {
        let loaded = try Self.transformer(nil)
        let streamed = try Self.transformer(StreamedRoom(ring: 3 * Self.largest))
        for transformer in [loaded, streamed] {
            let layers = transformer.linears.filter { $0.name.hasSuffix("to_q") }
            let adapters = try layers.map { name, layer in
                (
                    layer: name,
                    adapter: LowRankAdapter(
                        down: Parameter("d", try .full([1, layer.inputSize], 0.1)),
                        up: Parameter("u", try .full([layer.outputSize, 1], 0.1)), alpha: 1)
                        as any LinearAdapter
                )
            }
            try transformer.attach(AdapterSet("set", adapters))
        }
        let plain = try Self.velocity(Self.transformer(nil), RunMemory())
        let wanted = try Self.velocity(loaded, RunMemory())
        #expect(wanted != plain)
        #expect(try Self.velocity(streamed, RunMemory()) == wanted)
    }
}
