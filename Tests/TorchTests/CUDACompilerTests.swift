import Foundation
import TestSupport
import Testing
import Torch

/// The kernels' text through NVRTC, which makes machine code for GPUs that are not there.
@Suite(.serialized) struct CUDACompilerTests {
    private static let problem: String? = {
        do throws(TorchError) {
            try CUDAKernels.checkCompiler()
            return nil
        } catch { return error.message }
    }()
    private static let hasCompiler = problem == nil
    private static let advice: Comment = "there is no NVRTC; FRAMEPACK_NVRTC names its library"

    private func bytes(_ tensor: Tensor) throws -> Data { Data(try tensor.array(UInt8.self)) }

    @Test(.enabled(if: hasCompiler, advice), arguments: [75, 80, 86, 89, 90, 120])
    func everyServedGPUGetsMachineCodeWithAllKernels(_ capability: Int) throws {
        let code = try bytes(CUDAKernels.compiled(for: capability))
        #expect(code.prefix(4) == Data([0x7F]) + Data("ELF".utf8))
        for kernel in ["norm_modulate", "norm_rotate", "add_product", "channel_sums", "frame"] {
            for type in ["f32_4", "f32_1", "bf16_8", "bf16_1", "f16_8", "f16_1"] {
                let name = Data(".text.\(kernel)_\(type)".utf8)
                #expect(code.range(of: name) != nil, "\(kernel)_\(type)")
            }
        }
    }

    @Test(.enabled(if: hasCompiler, advice))
    func aNewerGPUGetsPTXAndOneThatIsTooOldNothing() throws {
        let code = try bytes(CUDAKernels.compiled(for: 990))
        #expect(code.range(of: Data(".entry norm_modulate_bf16_8".utf8)) != nil)
        let failure = #expect(throws: TorchError.self) { try CUDAKernels.compiled(for: 30) }
        #expect(failure?.message.contains("compute capability 3.0") == true)
    }

    @Test(.enabled(if: hasCompiler, advice))
    func whatWasCompiledIsKeptAndMadeAgainWhereTheFileWasHarmed() throws {
        try withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("cuda")
            let first = try bytes(CUDAKernels.compiled(for: 90, folder: place.path))
            let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
            #expect(names.count == 1 && names[0].hasPrefix("sm_90-"))
            let file = place.appendingPathComponent(names[0])
            let whole = try Data(contentsOf: file)
            #expect(whole.prefix(first.count) == first)
            let date = Date(timeIntervalSince1970: 1_000_000)
            try FileManager.default.setAttributes(
                [.modificationDate: date], ofItemAtPath: file.path)
            #expect(try bytes(CUDAKernels.compiled(for: 90, folder: place.path)) == first)
            let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
            #expect(attributes[.modificationDate] as? Date == date)
            try whole.prefix(whole.count / 2).write(to: file)
            #expect(try bytes(CUDAKernels.compiled(for: 90, folder: place.path)) == first)
            #expect(try Data(contentsOf: file) == whole)
        }
    }

    @Test(.enabled(if: hasCompiler, advice))
    func aFolderThatTakesNoFilesIsNoError() throws {
        let code = try CUDAKernels.compiled(for: 90, folder: "/dev/null/cuda")
        #expect(code.count > 0)
    }

    @Test(.enabled(if: !hasCompiler, "NVRTC is there"))
    func withoutNVRTCTheErrorTellsWhatToDo() throws {
        #expect(Self.problem?.contains("FRAMEPACK_NVRTC") == true)
        let failure = #expect(throws: TorchError.self) { try CUDAKernels.compiled(for: 90) }
        #expect(failure?.message.contains("FRAMEPACK_NVRTC") == true)
    }
}
