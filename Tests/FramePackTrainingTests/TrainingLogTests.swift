import Foundation
import FramePackTraining
import TestSupport
import Testing

@Suite struct TrainingLogTests {
    private func report(_ step: Int, loss: Double, _ metrics: [String: Double]) -> TrainingReport {
        TrainingReport(
            step: step, totalSteps: 10, loss: loss, gradientNorm: 0.5, learningRate: 1e-3,
            seconds: 0.25, metrics: metrics)
    }

    @Test func theFirstLineNamesTheColumnsAndAbsentFiguresAreEmpty() throws {
        try withTemporaryFolder { folder in
            let url = TrainingLog.url(in: folder)
            let log = try TrainingLog(url, metricNames: ["low", "high"], firstStep: 0)
            try log.append(report(0, loss: 2, ["low": 0.125, "high": 1]))
            try log.append(report(1, loss: 0.123456789, ["high": 3]))
            let text = try String(contentsOf: url, encoding: .utf8)
            #expect(
                text == """
                    step,loss,norm,rate,seconds,low,high
                    0,2,0.5,0.001,0.25,0.125,1
                    1,0.123457,0.5,0.001,0.25,,3

                    """)
            let table = try LogTable(url)
            #expect(table.columns.last == "high")
            #expect(table.points("low").map(\.x) == [0])
            #expect(table.points("high").map(\.y) == [1, 3])
        }
    }

    @Test func stepsThatAreDoneAgainAreDropped() throws {
        try withTemporaryFolder { folder in
            let url = TrainingLog.url(in: folder)
            let first = try TrainingLog(url, metricNames: [], firstStep: 0)
            for step in 0..<5 { try first.append(report(step, loss: 1, [:])) }
            let second = try TrainingLog(url, metricNames: [], firstStep: 3)
            for step in 3..<6 { try second.append(report(step, loss: 2, [:])) }
            let points = try LogTable(url).points("loss")
            #expect(points.map(\.x) == [0, 1, 2, 3, 4, 5])
            #expect(points.map(\.y) == [1, 1, 1, 2, 2, 2])
        }
    }

    @Test func logsOfOlderVersionsAreTakenUp() throws {
        try withTemporaryFolder { folder in
            let url = TrainingLog.url(in: folder)
            let old = "0,2.50000,1.2000,1.000e-05,0.500,high=0.5000,low=0.2500\n1,2.4,1.1\n"
            try Data(old.utf8).write(to: url)
            _ = try TrainingLog(url, metricNames: ["low", "high"], firstStep: 2)
            let table = try LogTable(url)
            #expect(table.columns == ["step", "loss", "norm", "rate", "seconds", "low", "high"])
            #expect(table.points("loss").map(\.y) == [2.5, 2.4])
            #expect(table.points("low").map(\.y) == [0.25])
        }
    }

    @Test func aHarmedLogIsTakenUpWithoutItsHarmedLines() throws {
        try withTemporaryFolder { folder in
            let url = TrainingLog.url(in: folder)
            var log: TrainingLog? = try TrainingLog(url, metricNames: ["low"], firstStep: 0)
            for step in 0..<4 { try log?.append(report(step, loss: 1, ["low": 2])) }
            log = nil
            var lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
                .map { Data($0.utf8) }
            lines[2] = Data([0xFF, 0, 0x80, 0x2C, 0xFE])
            lines[4] = Data("3000000000000000000,1,1,1,1,2".utf8)
            try Data(lines.joined(separator: [0x0A])).write(to: url)
            let harmed = try LogTable(url)
            #expect(harmed.points("low").map(\.x) == [0, 2])
            #expect(harmed.dropped?.hasPrefix("2 lines of \(url.path) cannot be read") == true)
            let next = try TrainingLog(url, metricNames: ["low"], firstStep: 4)
            #expect(next.dropped == harmed.dropped)
            try next.append(report(4, loss: 1, ["low": 2]))
            let table = try LogTable(url)
            #expect(table.dropped == nil && table.points("low").map(\.x) == [0, 2, 4])
            try Data((0..<200).map { UInt8($0 &+ 56) }).write(to: url)
            #expect(try LogTable(url).rows.isEmpty)
            #expect(try TrainingLog(url, metricNames: [], firstStep: 4).dropped != nil)
        }
    }

    @Test func aLogThatIsNotThereIsNamed() throws {
        let url = URL(filePath: "/nowhere/log.csv")
        let error = #expect(throws: TrainingError.self) { try LogTable(url) }
        #expect(error?.description.contains("/nowhere/log.csv") == true)
    }
}

@Suite struct LinePlotTests {
    @Test func aStraightLineGoesFromCornerToCorner() {
        let plot = LinePlot(title: "loss", points: (0..<69).map { (Double($0), Double($0)) })
        let lines = plot.lines()
        #expect(lines.count == 16)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines[0] == "loss")
        #expect(lines[1].hasSuffix("*") && lines[1].count == 80)
        #expect(lines[1].hasPrefix("       68 |"))
        #expect(lines[13].hasPrefix("        0 |*"))
        #expect(lines[15].hasSuffix("68"))
    }

    @Test func aColumnShowsTheMeanAndTheRangeOfItsPoints() {
        var plot = LinePlot(title: "x", points: [])
        plot.size = (columns: 30, lines: 14)
        for step in 0..<19 { for y in [0.0, 5, 10] { plot.points.append((Double(step), y)) } }
        let lines = plot.lines()
        #expect(lines[1].hasSuffix("|" + String(repeating: ":", count: 19)))
        #expect(lines[6].hasSuffix("|" + String(repeating: "*", count: 19)))
        #expect(lines[11].hasSuffix("|" + String(repeating: ":", count: 19)))
    }

    @Test func powersOfTenAreEvenlySpacedOnALogarithmicAxis() {
        var plot = LinePlot(title: "x", points: [(0, 100), (1, 10), (2, 1)])
        plot.size = (columns: 40, lines: 12)
        plot.isLogarithmic = true
        let stars = plot.lines().enumerated().filter { $0.element.contains("*") }.map(\.offset)
        #expect(stars == [1, 5, 9])
    }

    @Test func fewPointsDrawToo() {
        #expect(LinePlot(title: "x", points: []).lines() == ["x: nothing to draw yet"])
        let one = LinePlot(title: "x", points: [(3, 7)]).lines()
        #expect(one.count == 16 && one.joined().contains("*"))
    }
}
