import Foundation
import Testing
import Torch

@Suite("Arithmetic, element by element")
struct ArithmeticTests {
    @Test("Two tensors are joined element by element, and shapes broadcast")
    func pairs() throws {
        let (a, b) = (try values(1, -2, 3), try values(4, 5, -6))
        try expectValues(a + b, [5, 3, -3])
        try expectValues(a - b, [-3, -7, 9])
        try expectValues(a * b, [4, -10, -18])
        try expectValues(a / b, [0.25, -0.4, -0.5])
        try expectValues(a.maximum(b), [4, 5, 3])
        try expectValues(a.minimum(b), [1, -2, -6])
        try expectValues(a.lerp(b, 0.5), [2.5, 1.5, -1.5])
        try expectValues(a.lerp(b, values(0, 1, 0.5)), [1, 5, -1.5])
        try expectValues(a.addProduct(a, b, scale: 2), [9, -22, -33])
        try expectValues(
            a.unsqueeze(1) + b, [5, 6, -5, 2, 3, -8, 7, 8, -3], shape: [3, 3])
    }

    @Test("Numbers stand on either side")
    func numbers() throws {
        let a = try values(1, -2, 4)
        try expectValues(a + 1.5, [2.5, -0.5, 5.5])
        try expectValues(1.5 + a, [2.5, -0.5, 5.5])
        try expectValues(a - 1, [0, -3, 3])
        try expectValues(1 - a, [0, 3, -3])
        try expectValues(a * 2, [2, -4, 8])
        try expectValues(2 * a, [2, -4, 8])
        try expectValues(a / 4, [0.25, -0.5, 1])
        try expectValues(4 / a, [4, -2, 1])
        try expectValues(-a, [-1, 2, -4])
        try expectValues(a.pow(3), [1, -8, 64])
        try expectValues(Tensor.pow(2, a), [2, 0.25, 16])
        try expectValues(a.remainder(3), [1, 1, 1])
        try expectValues(a.clamp(min: -1, max: 2), [1, -1, 2])
        try expectValues(a.clamp(max: 2), [1, -2, 2])
        try expectValues(a.clamp(min: 0), [1, 0, 4])
    }

    @Test("Functions of one element")
    func functions() throws {
        let a = try values(0.5, 2)
        try expectValues(values(-1.5, 0, 2).abs(), [1.5, 0, 2])
        try expectValues(a.exp(), [exp(0.5), exp(2)])
        try expectValues(a.log(), [log(0.5), log(2)])
        try expectValues(a.sqrt(), [sqrt(0.5), sqrt(2.0)])
        try expectValues(a.rsqrt(), [1 / sqrt(0.5), 1 / sqrt(2.0)])
        try expectValues(a.reciprocal(), [2, 0.5])
        try expectValues(a.square(), [0.25, 4])
        try expectValues(a.sin(), [sin(0.5), sin(2)])
        try expectValues(a.cos(), [cos(0.5), cos(2)])
        try expectValues(a.tanh(), [tanh(0.5), tanh(2)])
        try expectValues(a.sigmoid(), [1 / (1 + exp(-0.5)), 1 / (1 + exp(-2))])
        try expectValues(values(-1.5, 1.5).floor(), [-2, 1])
        try expectValues(values(0.5, 1.5, 2.5, -0.5).round(), [0, 2, 2, 0])
        try expectValues(values(-3, 0, 2).sign(), [-1, 0, 1])
        try expectValues(values(1, .nan, .infinity).isFinite(), [1, 0, 0])
    }

    @Test("Comparisons give bools, which choose")
    func comparisons() throws {
        let (a, b) = (try values(1, 2, 3), try values(3, 2, 1))
        try expectValues(a.equal(b), [0, 1, 0])
        try expectValues(a.equal(3), [0, 0, 1])
        try expectValues(a.less(2), [1, 0, 0])
        try expectValues(a.less(b), [1, 0, 0])
        try expectValues(a.lessOrEqual(b), [1, 1, 0])
        try expectValues(a.greater(1), [0, 1, 1])
        let (low, high) = (try a.less(3), try a.greater(1))
        #expect(low.dtype == .bool)
        try expectValues(low.and(high), [0, 1, 0])
        try expectValues(low.or(high), [1, 1, 1])
        try expectValues(low.not(), [0, 0, 1])
        try expectValues(low.select(a, else: b), [1, 2, 1])
        try expectValues(a.filled(9, where: low), [9, 9, 3])
    }

    @Test("Reductions")
    func reductions() throws {
        let a = try values(1, 2, 3, 4, 5, 9, shape: [2, 3])
        #expect(try a.sum().item() == 24)
        #expect(try a.to(.int32).sum(dtype: .int64).intItem() == 24)
        try expectValues(a.sum([0]), [5, 7, 12])
        try expectValues(a.sum([1], keepAxes: true), [6, 18], shape: [2, 1])
        #expect(try a.mean().item() == 4)
        try expectValues(a.mean([1]), [2, 6])
        try expectValues(a.variance([1]), [1, 7])
        try expectValues(a.variance([1], correction: 0), [2.0 / 3, 14.0 / 3])
        try expectValues(a.standardDeviation([1]), [1, sqrt(7.0)])
        #expect(try a.max().item() == 9 && a.min().item() == 1)
        try expectValues(a.max([0], keepAxes: true), [4, 5, 9], shape: [1, 3])
        try expectValues(a.min([1]), [1, 4])
        try expectValues(values(1, 7, 7).argmax(0), [1])
        #expect(try a.greater(0).all().item() == 1 && a.greater(9).any().item() == 0)
        try expectValues(a.cumulativeSum(1), [1, 3, 6, 4, 9, 18])
        #expect(try values(3, 4).norm().item() == 5)
        let sorted = try values(3, 1, 2).sorted(descending: true)
        try expectValues(sorted.values, [3, 2, 1])
        try expectValues(sorted.indices, [0, 2, 1])
    }

    @Test("In place, a tensor and its views change")
    func inPlace() throws {
        let a = try values(1, 2, 3, 4)
        let view = try a.narrow(0, 2, 2)
        try a.addInPlace(values(1, 1, 1, 1), scale: 2)
        try expectValues(view, [5, 6])
        try view.multiplyInPlace(2)
        try expectValues(a, [3, 4, 10, 12])
        try a.multiplyInPlace(values(1, 0.5, 1, 1))
        try a.divideInPlace(values(1, 1, 5, 6))
        try expectValues(a, [3, 2, 2, 2])
        try a.lerpInPlace(values(1, 4, 2, 0), 0.5)
        try expectValues(a, [2, 3, 2, 1])
        try a.addProductInPlace(values(1, 2, 3, 4), values(1, 1, 1, 2), scale: -1)
        try expectValues(a, [1, 1, -1, -7])
        try a.addQuotientInPlace(values(2, 2, 2, 2), values(1, 2, 4, 1), scale: 2)
        try expectValues(a, [5, 3, 0, -3])
        try a.clampInPlace(min: -1, max: 4)
        try expectValues(a, [4, 3, 0, -1])
        try a.copy(from: Tensor([1, 2, 3, 4] as [Int64]))
        try expectValues(a, [1, 2, 3, 4])
        try a.fillInPlace(7)
        try expectValues(a, [7, 7, 7, 7])
        try a.zeroInPlace()
        try expectValues(a, [0, 0, 0, 0])
    }

    @Test("Lists are changed and measured at once")
    func lists() throws {
        let list = [try values(3, 4), try values(6)]
        try expectValues(list.norms()[0], [5])
        try list.multiplyAllInPlace(2)
        try list.lerpAllInPlace([values(0, 0), values(0)], 0.5)
        try expectValues(list[0], [3, 4])
        try expectValues(list[1], [6])
    }
}
