import FramePackMetrics
import Testing

@Suite struct FrameMeasuresTests {
    @Test("One bright pixel has the Laplacian that its definition gives")
    func sharpness() {
        var plane = Plane(width: 5, height: 5, values: [Float](repeating: 0, count: 25))
        plane.values[12] = 10
        // -40 once and 10 four times among 25, whose mean is 0.
        #expect(abs(FrameMeasures.sharpness(plane) - (1600 + 400) / 25) < 1e-9)
        let line = Plane(width: 3, height: 1, values: [0, 6, 0])
        // Mirrored ends: 12, -12, 12.
        #expect(abs(FrameMeasures.sharpness(line) - 128) < 1e-9)
        #expect(FrameMeasures.sharpness(Patterns.grey(80).luma) == 0)
    }

    @Test("Blur lowers the sharpness each time")
    func blur() {
        let sharp = Patterns.waves()
        let soft = Patterns.blurred(sharp)
        let softer = Patterns.blurred(soft)
        let values = [sharp, soft, softer].map { FrameMeasures.sharpness($0.luma) }
        #expect(values[0] > values[1] && values[1] > values[2], "\(values)")
    }

    @Test("Saturation is that of HSV")
    func saturation() {
        let pixels: [UInt8] = [255, 0, 0, 200, 100, 150, 90, 90, 90, 0, 0, 0]
        let frame = Frame(width: 4, height: 1, pixels: pixels)
        #expect(abs(FrameMeasures.saturation(frame) - (1 + 0.5 + 0 + 0) / 4) < 1e-12)
    }

    @Test("A brighter picture's histogram is as far away as it is brighter")
    func histograms() {
        let dark = Histograms(Patterns.grey(40))
        #expect(FrameMeasures.histogramDistance(dark, Histograms(Patterns.grey(47))) == 7)
        #expect(FrameMeasures.histogramDistance(dark, dark) == 0)
        let red = Histograms(Frame(width: 2, height: 1, pixels: [43, 40, 40, 49, 40, 40]))
        #expect(abs(FrameMeasures.histogramDistance(dark, red) - (3 + 9) / 2.0 / 3) < 1e-9)
        #expect(red.means == [46, 40, 40])
        // The places of colours don't matter.
        let turned = Histograms(Frame(width: 2, height: 1, pixels: [49, 40, 40, 43, 40, 40]))
        #expect(turned == red)
    }

    @Test("Alternating brightness flickers, a fade doesn't, and a change is one")
    func flicker() {
        func flicker(_ levels: [UInt8]) -> Double? {
            VideoMeasures(levels.map { Patterns.grey($0) }, measuresMotion: false)
                .metrics[.flicker]?.mean
        }
        #expect(abs((flicker([100, 108, 100, 108, 100]) ?? 0) - 8) < 1e-4)
        #expect(abs(flicker([100, 108, 116, 124]) ?? 9) < 1e-4)
        #expect(flicker([100, 108]) == nil)
        let change = FrameMeasures.change(Patterns.grey(100), Patterns.grey(108))
        #expect(change == 8)
    }

    @Test("Likeness is that of its definitions")
    func similarity() {
        let (a, b) = (Patterns.grey(100), Patterns.grey(110))
        #expect(abs(Similarity.psnr(a, b) - 28.1308) < 1e-3)
        #expect(Similarity.psnr(a, a) == 100)
        // Two greys: only the means differ, (2 ab + c1) / (a² + b² + c1).
        let c1 = 6.5025
        let wanted = (2 * 100 * 110 + c1) / (100 * 100 + 110 * 110 + c1)
        #expect(abs(Similarity.ssim(a.luma, b.luma) - wanted) < 1e-6)
        let waves = Patterns.waves()
        #expect(abs(Similarity.ssim(waves.luma, waves.luma) - 1) < 1e-9)
        let soft = Patterns.blurred(Patterns.blurred(waves))
        #expect(Similarity.ssim(waves.luma, soft.luma) < 1)
    }

    @Test("Structural similarity is that of scikit-image")
    func likeScikit() {
        // skimage.metrics.structural_similarity of the same planes, with gaussian_weights, sigma
        // 1.5, use_sample_covariance False, data_range 255.
        func plane(_ step: Int) -> Plane {
            Plane(
                width: 20, height: 16,
                values: (0..<320).map { Float(($0 * step + $0 / 20 * 7) % 256) })
        }
        #expect(abs(Similarity.ssim(plane(5), plane(7)) - 0.3147903) < 1e-5)
    }
}
