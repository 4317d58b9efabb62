import Foundation
import FramePackBench
import TestSupport
import Testing

@Suite struct ReportTests {
    private static func report(disturbed: Bool) -> BenchmarkReport {
        var ours = BenchmarkReport.Side(seconds: [2, 2.5, 2])
        (ours.resident, ours.anonymous, ours.error) = (3_000_000_000, 1_250_000_000, 0.004)
        var peer = BenchmarkReport.Side(seconds: [6, 6, 5])
        (peer.resident, peer.error) = (7_000_000_000, 0.005)
        let result = BenchmarkReport.Result(
            name: .transformer300M, tokens: 5491, operations: 3e12, parameters: 320_000_000,
            ours: ours, peer: peer,
            interference: disturbed ? [0, 0, 0.4, 0.2, 0, 0] : [0, 0, 0, 0, 0, 0.01],
            disturbed: [false, disturbed, false])
        return BenchmarkReport(
            setting: BenchmarkReport.Setting(
                processor: "AMD EPYC 9B45 (16-Core)", cores: 2, device: "cpu", dtype: "bf16",
                threads: 2, day: "2026-01-31", ours: ["framepack 0.1.0"],
                peer: ["diffusers 0.42.1"]),
            results: [result], loadAverages: [0.5, 2])
    }

    @Test func ratiosAreThoseOfPairs() throws {
        let result = try #require(Self.report(disturbed: true).results.first)
        #expect(result.ratios == [3, 2.4, 2.5])
        #expect(result.ratio?.median == 2.5)
        #expect(result.quietRatio?.median == 2.75)
        #expect(abs(try #require(result.meanInterference) - 0.1) < 1e-9)
    }

    @Test func theTableFitsATerminal() {
        for report in [Self.report(disturbed: false), Self.report(disturbed: true)] {
            for line in report.table.split(separator: "\n") {
                #expect(line.count <= 80, "\(line)")
            }
        }
        let table = Self.report(disturbed: false).table
        #expect(table.contains("peer / ours 2.50"))
        #expect(table.contains("2.45 to 2.75"))
        #expect(table.contains("5491 tokens"))
        // 3e12 operations in 2 seconds.
        #expect(table.contains("1.500"))
        #expect(table.contains("1.25 GB"))
        #expect(!table.contains("disturbed"))
    }

    @Test func whatOthersDisturbedSaysSo() {
        let report = Self.report(disturbed: true)
        #expect(report.table.contains("1 of 3 pairs"))
        #expect(report.table.contains("1 of 1 cases"))
        #expect(report.markdown.contains("**1 of 3 pairs disturbed**"))
        #expect(report.markdown.contains("10 %"))
    }

    @Test func thePageNamesTheCommandThatMakesIt() {
        let page = Self.report(disturbed: false).markdown
        #expect(page.hasPrefix("# AMD EPYC 9B45"))
        #expect(
            page.contains(
                "framepack bench transformer-300m --dtype bf16 --threads 2 --rounds 3 --errors`"))
        #expect(page.contains("4.00e-03 / 5.00e-03"))
    }

    @Test func filesAreNamedAfterTheMachineAndReadBack() throws {
        try withTemporaryFolder { folder in
            let report = Self.report(disturbed: true)
            let files = try report.write(to: folder)
            #expect(
                files.map(\.lastPathComponent) == [
                    "amd-epyc-9b45-16-core.json", "amd-epyc-9b45-16-core.md",
                ])
            let stored = try JSONDecoder().decode(
                BenchmarkReport.self, from: Data(contentsOf: files[0]))
            #expect(stored == report)
        }
    }
}
