import FramePackBench
import Testing

@Suite struct SpreadTests {
    @Test func quartilesLieBetweenTheSortedValues() throws {
        let spread = try #require(Spread([4, 1, 3, 2]))
        #expect(spread.least == 1)
        #expect(spread.lowerQuartile == 1.75)
        #expect(spread.median == 2.5)
        #expect(spread.upperQuartile == 3.25)
    }

    @Test func oneValueIsItsOwnSpread() throws {
        let spread = try #require(Spread([7]))
        #expect(
            [spread.least, spread.lowerQuartile, spread.median, spread.upperQuartile] == [
                7, 7, 7, 7,
            ])
    }

    @Test func nothingHasNoSpread() { #expect(Spread([]) == nil) }
}
