import FramePackBench
import Testing

@Suite struct InterferenceTests {
    private let before: MachineTimes

    init() throws {
        let stat = """
            cpu  1000 100 400 5000 50 10 20 30 7 0
            cpu0 500 50 200 2500 25 5 10 15 3 0
            intr 12345
            """
        before = try #require(MachineTimes(stat: stat, ticksPerSecond: 100))
    }

    private func after(user: Int, idle: Int, steal: Int) throws -> MachineTimes {
        try #require(
            MachineTimes(
                stat: "cpu  \(1000 + user) 100 400 \(5000 + idle) 50 10 20 \(30 + steal) 7 0\n",
                ticksPerSecond: 100))
    }

    @Test func timesAreThoseOfAllProcessors() {
        #expect(abs(before.busy - 15.3) < 1e-9)
        #expect(before.stolen == 0.3)
        #expect(abs(before.total - 66.1) < 1e-9)
    }

    @Test func aQuietRunIsNotDisturbed() throws {
        let times = try after(user: 200, idle: 0, steal: 0)
        let quiet = Interference(from: before, to: times, own: 1.99)
        #expect(quiet.share < 0.01)
        #expect(!quiet.isDisturbance)
    }

    @Test func otherProcessesAndOtherGuestsAreBothADisturbance() throws {
        let others = Interference(
            from: before, to: try after(user: 200, idle: 0, steal: 0), own: 1.5)
        #expect(abs(others.share - 0.25) < 1e-9)
        #expect(others.isDisturbance)
        let stolen = Interference(
            from: before, to: try after(user: 100, idle: 60, steal: 40), own: 1)
        #expect(abs(stolen.share - 0.2) < 1e-9)
        #expect(stolen.isDisturbance)
    }

    @Test func whatTheClockCannotTellIsNoDisturbance() throws {
        let short = Interference(
            from: before, to: try after(user: 10, idle: 0, steal: 0), own: 0.07)
        #expect(short.share > 0.05)
        #expect(!short.isDisturbance)
    }

    @Test func ownTimeThatExceedsTheMachinesCountsAsNone() throws {
        let times = try after(user: 100, idle: 0, steal: 0)
        #expect(Interference(from: before, to: times, own: 2).others == 0)
    }

    @Test func textsOfOtherSystemsAreNotRead() {
        #expect(MachineTimes(stat: "", ticksPerSecond: 100) == nil)
        #expect(MachineTimes(stat: "cpu  1 2 3", ticksPerSecond: 100) == nil)
        #expect(ProcessTime.seconds(stat: "nothing", ticksPerSecond: 100) == nil)
        #expect(ProcessMemory(status: "Name:\tinit\n") == nil)
    }

    @Test func aProcessMayBeCalledAnything() {
        let stat = "7 (a) b (c) R 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 10"
        #expect(ProcessTime.seconds(stat: stat, ticksPerSecond: 100) == 3)
    }

    @Test func memoryIsThePeakAndWhatNoFileHolds() throws {
        let memory = try #require(
            ProcessMemory(status: "VmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\nRssAnon:\t   512 kB\n"))
        #expect(memory.peakResident == 2_097_152)
        #expect(memory.anonymous == 524_288)
    }
}
