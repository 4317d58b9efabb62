import Testing
import Torch

@Suite("Errors of the tensor layer")
struct ErrorTests {
    static func error(_ body: () throws -> Void) -> TorchError? {
        do { try body() } catch { return error as? TorchError }
        return nil
    }

    @Test("Memory that can't be had is an error of its own, and the process lives on")
    func outOfMemory() throws {
        let failure = try #require(Self.error { _ = try Tensor.empty([1 << 30, 1 << 20]) })
        #expect(failure.code == .outOfMemory, "\(failure)")
        try expectValues(.ones([2]), [1, 1])
    }

    @Test("Shapes that don't fit are named, without a backtrace")
    func shapes() throws {
        let (a, b) = (try Tensor.ones([2, 3]), try Tensor.ones([4, 5]))
        let sum = try #require(Self.error { _ = try a + b })
        #expect(sum.code == .invalid)
        #expect(sum.message.contains("3") && sum.message.contains("5"), "\(sum)")
        let product = try #require(Self.error { _ = try a.matmul(b) })
        #expect(product.message.contains("2x3") && product.message.contains("4x5"), "\(product)")
        for text in [sum.message, product.message] {
            #expect(!text.contains("Exception raised") && !text.contains("frame #"), "\(text)")
        }
        #expect(Self.error { _ = try a.reshape(4, -1) } != nil)
        #expect(Self.error { _ = try a.select(5, 0) } != nil)
        #expect(Self.error { _ = try a.narrow(0, 1, 9) } != nil)
        #expect(Self.error { _ = try Tensor.cat([], axis: 0) } != nil)
        #expect(Self.error { _ = try a.embedding(Tensor([7] as [Int64])) } != nil)
        #expect(Self.error { _ = try a.item() } != nil)
    }

    @Test("A device that isn't there is an error")
    func device() {
        #expect(Self.error { _ = try Tensor.zeros([1], device: .cuda(77)) } != nil)
        #expect(Device("cuda:3") == .cuda(3) && Device("cpu") == .cpu && Device("tpu") == nil)
        #expect(Device("cuda:-1") == nil && Device("cuda:x") == nil && Device("") == nil)
    }

    @Test("The library says what it is")
    func library() throws {
        #expect(TorchLibrary.version.hasPrefix("2."))
        #expect(try !TorchLibrary.buildDescription().isEmpty)
        #expect(TorchLibrary.threadCount >= 1)
        #expect(try Accelerator.memory(.cpu) == nil)
    }
}
