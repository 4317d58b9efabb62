import TestSupport
import Testing
import Torch

@Suite struct ComplexProductTests {
    @Test func pairsMultiplyAsComplexNumbers() throws {
        // (1 + 2i)(3 − i) = 5 + 5i, and i · i = −1, the second factor repeated along an axis.
        let a = try Tensor([1, 2, 0, 1] as [Float], [2, 1, 2])
        let b = try Tensor([3, -1, 0, 1] as [Float], [1, 2, 2])
        let product = try a.complexProduct(b)
        #expect(product.shape == [2, 2, 2])
        #expect(try product.array(Float.self) == [5, 5, -2, 1, 1, 3, -1, 0])
    }

    @Test func gradientsFlowThroughBothFactors() throws {
        let a = try Tensor([1, 2] as [Float], [1, 2])
        let b = try Tensor([3, -1] as [Float], [1, 2])
        try a.setRequiresGradient(true)
        try b.setRequiresGradient(true)
        // The real part is a₀b₀ − a₁b₁.
        try a.complexProduct(b).narrow(1, 0, 1).sum().backward()
        #expect(try a.gradient()?.array(Float.self) == [3, 1])
        #expect(try b.gradient()?.array(Float.self) == [1, -2])
    }

    @Test func lastAxisMustBePairs() throws {
        let a = try Tensor.ones([2, 3])
        #expect(throws: TorchError.self) { try a.complexProduct(a) }
    }
}
