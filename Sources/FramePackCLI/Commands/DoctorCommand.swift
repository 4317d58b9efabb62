import ArgumentParser
import Foundation
import FramePack

/// `framepack doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Tell what this machine can do, and how long a frame will take.")

    @OptionGroup var memory: MemoryOptions
    @Flag(help: "Print JSON instead of text.")
    var json = false
    @Flag(help: "Check only; measure no rates.")
    var quick = false

    func run() throws {
        var report = DoctorReport()
        try report.checkBlocks()
        try report.planMemory(memory.budget)
        if !quick {
            try report.measureRates()
            try report.predict(small: try? ModelFolder.locate(nil))
        }
        if json {
            print(String(decoding: try JSONEncoder.sorted.encode(report), as: UTF8.self))
        } else {
            print(report.text)
        }
        guard report.isHealthy else {
            throw FramePackError.model("Something on this machine does not work; see above.")
        }
    }
}
