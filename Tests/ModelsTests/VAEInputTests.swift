import Models
import TestSupport
import Testing
import Torch

@Suite struct VAEInputTests {
    private func message(video shape: [Int]) throws -> String {
        let vae = try VAEFixture.vae("vae/model")
        let video = try Tensor.zeros(shape)
        return #expect(throws: ModelError.self) { try vae.encode(video) }?.description ?? ""
    }

    private func message(latents shape: [Int]) throws -> String {
        let vae = try VAEFixture.vae("vae/model")
        let latents = try Tensor.zeros(shape)
        let whole = #expect(throws: ModelError.self) { try vae.decode(latents) }
        let streamed = #expect(throws: ModelError.self) {
            try vae.decode(latents, stream: VAEStream())
        }
        #expect(whole?.description == streamed?.description)
        return whole?.description ?? ""
    }

    @Test func aVideoWithAnotherNumberOfAxesOrChannelsIsNamed() throws {
        #expect(try message(video: [3, 9, 16, 16]).contains("video has 4 axes"))
        #expect(try message(video: [1, 4, 9, 16, 16]).contains("video has 4 channels"))
        #expect(try message(video: [0, 3, 9, 16, 16]).contains("video is empty"))
    }

    @Test func framesThatAreNotOneMoreThanAMultipleOfFourAreRefused() throws {
        let text = try message(video: [1, 3, 8, 16, 16])
        #expect(text.contains("video has 8 frames") && text.contains("5 or 9"))
    }

    @Test func sidesThatAreNoMultipleOfEightAreRefused() throws {
        let tall = try message(video: [1, 3, 9, 20, 16])
        #expect(tall.contains("height 20") && tall.contains("16 or 24"))
        let narrow = try message(video: [1, 3, 9, 16, 7])
        #expect(narrow.contains("width 7") && narrow.contains("use 8"))
    }

    @Test func latentsWithAnotherNumberOfAxesOrChannelsAreNamed() throws {
        #expect(try message(latents: [16, 3, 2, 2]).contains("latents has 4 axes"))
        #expect(try message(latents: [1, 4, 3, 2, 2]).contains("latents has 4 channels"))
    }

    @Test func noiseOfAnotherShapeIsNamed() throws {
        let vae = try VAEFixture.vae("vae/model")
        let moments = try withoutGradients { try vae.encode(.zeros([1, 3, 1, 16, 16])) }
        let error = #expect(throws: ModelError.self) {
            try moments.sample(.zeros([1, 16, 1, 2, 3]))
        }
        #expect(error?.description.hasPrefix("eps has the shape [1, 16, 1, 2, 3]") == true)
    }
}
