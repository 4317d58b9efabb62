import Foundation
import FramePack
import Testing

/// denoised(x, sigma) = 0.8 tanh(x) - 0.35 sigma, in float32 as the reference evaluates it.
private func denoisedByTanh(_ x: [Float], sigma: Float) -> [Float] {
    x.map { 0.8 * tanh($0) - 0.35 * sigma }
}

extension LinearCombination {
    fileprivate func applied(to x: [Float], _ history: [[Float]]) -> [Float] {
        x.indices.map { i in
            let start = sample * Double(x[i])
            return Float(zip(denoised, history).reduce(start) { $0 + $1.0 * Double($1.1[i]) })
        }
    }
}

/// Runs UniPC on a closed form; gives the corrected x of every step, and its prediction.
private func run(
    _ coefficients: UniPCCoefficients, from noise: [Float],
    denoise: ([Float], Float) -> [Float] = { denoisedByTanh($0, sigma: $1) }
) -> (x: [[Float]], denoised: [[Float]]) {
    var (x, predicted) = (noise, noise)
    var (corrected, predictions): ([[Float]], [[Float]]) = ([], [])
    for step in coefficients.steps {
        predictions.insert(denoise(predicted, step.sigma), at: 0)
        if let correction = step.correction { x = correction.applied(to: x, predictions) }
        corrected.append(x)
        if let prediction = step.prediction { predicted = prediction.applied(to: x, predictions) }
    }
    return (corrected, predictions.reversed())
}

@Suite struct UniPCCoefficientsTests {
    let schedule = FlowSchedule(tokenCount: 3510, stepCount: 5)

    @Test func trajectoryIsTheReferences() throws {
        let golden = try ScheduleGolden()
        let result = run(UniPCCoefficients(schedule), from: try golden.floats("in.noise"))
        let x = try golden.rows("unipc_bh1_n5.x")
        let denoised = try golden.rows("unipc_bh1_n5.denoised")
        #expect(result.x.count == x.count)
        var largest: Float = 0
        for (ours, wanted) in zip(result.x + result.denoised, x + denoised) {
            largest = max(largest, largestDifference(ours, wanted))
        }
        largest = max(
            largest,
            largestDifference(
                result.denoised.last ?? [], try golden.floats("unipc_bh1_n5.result")))
        print("unipc_bh1_n5: largest difference \(largest)")
        #expect(largest <= 5e-6)
    }

    @Test func theVariantsDifferWhereOneDifferenceIsUsed() throws {
        let noise = try ScheduleGolden().floats("in.noise")
        let bh1 = run(UniPCCoefficients(schedule, variant: .bh1), from: noise)
        let bh2 = run(UniPCCoefficients(schedule, variant: .bh2), from: noise)
        #expect(bh1.denoised[1] == bh2.denoised[1])
        #expect(largestDifference(bh1.denoised[2], bh2.denoised[2]) > 1e-5)
    }

    @Test func oneStepIsOneCall() {
        let steps = UniPCCoefficients(FlowSchedule(tokenCount: 3510, stepCount: 1)).steps
        #expect(steps.map(\.sigma) == [1])
        #expect(steps.allSatisfy { $0.correction == nil && $0.prediction == nil })
    }

    @Test func twoStepsAreOfOrderOne() throws {
        let schedule = FlowSchedule(tokenCount: 3510, stepCount: 2)
        let steps = UniPCCoefficients(schedule).steps
        #expect(steps.count == 2)
        let prediction = try #require(steps[0].prediction)
        let sigma = Double(schedule.sigmas[1])
        #expect(prediction.denoised.count == 1)
        #expect(abs(prediction.sample - sigma) < 1e-12)
        #expect(abs(prediction.denoised[0] - (1 - sigma)) < 1e-12)
        #expect(steps[1].prediction == nil)
    }

    @Test func ordersRiseToThreeAndStay() {
        let steps = UniPCCoefficients(FlowSchedule(tokenCount: 14040, stepCount: 6)).steps
        #expect(steps.map { $0.prediction?.denoised.count ?? 0 } == [1, 2, 3, 3, 3, 0])
        #expect(steps.map { $0.correction?.denoised.count ?? 0 } == [0, 2, 3, 4, 4, 4])
        let three = UniPCCoefficients(FlowSchedule(tokenCount: 14040, stepCount: 3)).steps
        #expect(three.map { $0.prediction?.denoised.count ?? 0 } == [1, 2, 0])
    }

    /// A prediction that never changes is reproduced exactly, at any order and step size.
    @Test(arguments: [2, 3, 4, 7, 25, 100], UniPCCoefficients.Variant.allCases)
    func weightsKeepAConstant(steps: Int, variant: UniPCCoefficients.Variant) {
        for shift in [0.2, 1, 7, 100] {
            let schedule = FlowSchedule(tokenCount: 1, stepCount: steps, shift: shift)
            let all = UniPCCoefficients(schedule, variant: variant).steps
            for combination in all.flatMap({ [$0.correction, $0.prediction] }).compactMap({ $0 }) {
                let sum = combination.sample + combination.denoised.reduce(0, +)
                #expect(abs(sum - 1) < 1e-9, "\(steps) steps, shift \(shift)")
            }
        }
    }

    /// Where the prediction is a square in lambda, order 3 has no error at all.
    @Test(arguments: [1.0, 7, 100])
    func orderThreeIntegratesASquareExactly(shift: Double) throws {
        let schedule = FlowSchedule(tokenCount: 1, stepCount: 50, shift: shift)
        let all = UniPCCoefficients(schedule).steps
        let lambdas = all.map { -log(Double($0.sigma)) }
        func exact(_ from: Double, _ to: Double, x: Double) -> Double {
            // The integral of e^(l - to) l^2 over l, by its antiderivative.
            func primitive(_ l: Double) -> Double { exp(l - to) * (l * l - 2 * l + 2) }
            return exp(from - to) * x + primitive(to) - primitive(from)
        }
        for step in 3..<49 {
            let prediction = try #require(all[step].prediction)
            let x = prediction.sample * 0.7
            let value = prediction.denoised.enumerated().reduce(x) { sum, next in
                sum + next.element * lambdas[step - next.offset] * lambdas[step - next.offset]
            }
            #expect(abs(value - exact(lambdas[step], lambdas[step + 1], x: 0.7)) < 1e-7)
        }
    }
}

@Suite struct EulerCoefficientsTests {
    private func velocity(_ x: [Float], sigma: Float) -> [Float] {
        x.map { sin(0.7 * $0) + 0.35 * sigma }
    }

    @Test func trajectoryIsTheReferences() throws {
        let golden = try ScheduleGolden()
        var x = try golden.floats("in.noise")
        let schedule = FlowSchedule(tokenCount: 3510, stepCount: 5)
        var largest: Float = 0
        for (step, wanted) in zip(
            EulerCoefficients(schedule).steps, try golden.rows("euler_n5.x"))
        {
            let v = velocity(x, sigma: step.sigma)
            x = zip(x, v).map { $0 + Float(step.velocityWeight) * $1 }
            largest = max(largest, largestDifference(x, wanted))
        }
        print("euler_n5: largest difference \(largest)")
        #expect(largest <= 5e-6)
    }

    @Test func bothFormsOfTheUpdateAgree() {
        let (x, v) = (1.3, -0.4)
        for step in EulerCoefficients(FlowSchedule(tokenCount: 3510, stepCount: 7)).steps {
            let denoised = x - Double(step.sigma) * v
            let update = step.update
            let value = update.sample * x + update.denoised[0] * denoised
            #expect(abs(value - (x + step.velocityWeight * v)) < 1e-12)
        }
    }
}
