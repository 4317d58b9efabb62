import FramePack
import Testing

@Suite struct BucketsTests {
    @Test func releasedTableHasFourteenSizesAndTheirTransposes() {
        let sizes = Buckets.released.sizes
        #expect(sizes.count == 14)
        #expect(Set(sizes).count == 14)
        for size in sizes {
            #expect(sizes.contains(FrameSize(height: size.width, width: size.height)))
            #expect(size.height % 32 == 0 && size.width % 32 == 0)
        }
    }

    @Test(arguments: [
        (1000, 1000, 640, 608), (480, 832, 480, 832), (1080, 1920, 480, 832),
        (1920, 1080, 832, 480), (100, 5000, 416, 960), (5000, 100, 960, 416),
        (640, 607, 640, 608), (607, 640, 608, 640), (1, 1, 640, 608),
    ])
    func nearestHasTheNearestAspect(height: Int, width: Int, bucketHeight: Int, bucketWidth: Int) {
        let size = Buckets.released.nearest(to: FrameSize(height: height, width: width))
        #expect(size == FrameSize(height: bucketHeight, width: bucketWidth))
    }

    @Test func onATieTheLaterWins() {
        let square = FrameSize(height: 640, width: 640)
        #expect(Buckets.released.nearest(to: square) == FrameSize(height: 640, width: 608))
    }

    @Test(arguments: [
        (64, 16), (128, 32), (128, 16), (256, 32), (512, 32), (1280, 32), (100, 16), (40, 16),
    ])
    func anyAreaGivesMultiplesWithinTheArea(side: Int, multiple: Int) {
        let sizes = Buckets.any(area: side * side, multiple: multiple).sizes
        #expect(!sizes.isEmpty)
        for size in sizes {
            #expect(size.height % multiple == 0 && size.width % multiple == 0)
            #expect(size.height * size.width <= side * side)
            #expect(sizes.contains(FrameSize(height: size.width, width: size.height)))
        }
        let square = side / multiple * multiple
        #expect(sizes.contains(FrameSize(height: square, width: square)))
        #expect(sizes.map(\.height) == sizes.map(\.height).sorted())
    }

    @Test func explicitSizesNameTheNearestGoodOnes() throws {
        #expect(throws: FramePackError.self) { try FrameSize.checked(height: 0, width: 640) }
        do {
            _ = try FrameSize.checked(height: 650, width: 640)
            Issue.record("650 was accepted")
        } catch {
            #expect(
                error.description == "height is 650; it must be a multiple of 16; use 640 or 656.")
        }
        #expect(
            try FrameSize.checked(height: 32, width: 4096) == FrameSize(height: 32, width: 4096))
    }
}
