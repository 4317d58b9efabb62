import Foundation
import Models
import TestSupport
import Testing
import Torch

@Suite struct VAEStreamTests {
    /// Decodes piece by piece, each piece that many latents long.
    private func streamed(_ vae: VAE, _ latents: Tensor, _ pieces: [Int]) throws -> [Tensor] {
        let stream = VAEStream()
        var start = 0
        return try pieces.map { count in
            defer { start += count }
            return try vae.decode(latents.narrow(2, start, count), stream: stream)
        }
    }

    /// PSNR in dB of pixels in [−1, 1].
    private func psnr(_ a: Tensor, _ b: Tensor) throws -> Double {
        10 * log10(4 / max(try (a - b).square().mean().item(), 1e-20))
    }

    @Test func aSinglePieceIsTheDecodingInOnePiece() throws {
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let latents = try #require(golden.tensors["in.latents"])
        let wanted = try #require(golden.tensors["out.decoded"])
        try withoutGradients {
            try expectClose(streamed(golden.vae, latents, [9])[0], wanted, "one piece")
        }
    }

    @Test func thePiecesAddUpToAllFrames() throws {
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let latents = try #require(golden.tensors["in.latents"])
        try withoutGradients {
            let frames = try streamed(golden.vae, latents, [1, 2, 1, 5]).map { $0.dim(2) }
            #expect(frames == [1, 8, 4, 20])
        }
    }

    /// Group norms see a piece instead of the whole: that alone makes a difference.
    ///
    /// Random weights and random latents are the worst case, 15.6 dB; without what the stream
    /// remembers it would be 10.1. With trained weights it is near 57 dB, see ``VAEStream``.
    @Test func piecesComeNearTheDecodingInOnePiece() throws {
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let latents = try #require(golden.tensors["in.latents"])
        let wanted = try #require(golden.tensors["out.decoded"])
        try withoutGradients {
            let whole = try Tensor.cat(streamed(golden.vae, latents, [4, 5]), axis: 2)
            let streamed = try psnr(whole, wanted)
            let apart = try psnr(
                .cat(
                    [
                        golden.vae.decode(latents.narrow(2, 0, 4)),
                        golden.vae.decode(latents.narrow(2, 3, 6)).narrow(2, 1, 20),
                    ], axis: 2), wanted)
            print("    streamed \(streamed) dB, in separate pieces \(apart) dB")
            #expect(streamed > 15)
            #expect(streamed > apart + 4)
        }
    }

    /// A video of hours must not fill the memory, nor make each piece dearer than the one before.
    ///
    /// Each of some thirty layers looks two pieces back, and attention twenty, which is less than
    /// the hundred pieces here.
    @Test func whatLiesFarBackIsForgotten() throws {
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let latents = try #require(golden.tensors["in.latents"]).narrow(2, 0, 1)
        try withoutGradients {
            let long = try Tensor.cat([Tensor](repeating: latents, count: 100), axis: 2)
            let other = try Tensor.cat([latents * 0.5, long.narrow(2, 1, 99)], axis: 2)
            let pieces = [Int](repeating: 1, count: 100)
            let (a, b) = (
                try streamed(golden.vae, long, pieces), try streamed(golden.vae, other, pieces)
            )
            #expect(try (a[1] - b[1]).abs().max().item() > 1e-3)
            #expect(try (a[99] - b[99]).abs().max().item() == 0)
        }
    }

    /// Pieces depend on what was before them and on nothing that comes later.
    @Test func aPieceDoesNotDependOnHowTheRestIsCut() throws {
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let latents = try #require(golden.tensors["in.latents"])
        try withoutGradients {
            let one = try streamed(golden.vae, latents, [2, 3, 4])
            let other = try streamed(golden.vae, latents, [2, 3, 1, 1, 2])
            for index in 0..<2 {
                #expect(
                    try one[index].array(Float.self) == other[index].array(Float.self),
                    "piece \(index)")
            }
        }
    }

    /// With latents that do not change in time, statistics are the same in every piece.
    @Test func aStillVideoIsTheSameHoweverItIsCut() throws {
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let first = try #require(golden.tensors["in.latents"]).narrow(2, 0, 1)
        try withoutGradients {
            let still = try first.repeated([1, 1, 9, 1, 1])
            let whole = try golden.vae.decode(still, tiling: .none)
            for pieces in [[1, 8], [4, 5], [1, 1, 1, 1, 1, 1, 1, 1, 1]] {
                let joined = try Tensor.cat(streamed(golden.vae, still, pieces), axis: 2)
                try expectClose(joined, whole, "pieces of \(pieces)")
            }
        }
    }
}
