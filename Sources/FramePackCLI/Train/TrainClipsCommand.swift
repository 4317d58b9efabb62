import ArgumentParser
import Foundation
import FramePackTraining
import Torch

/// `framepack train clips`.
struct TrainClipsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clips",
        abstract: "Render and encode the clips that the transformer is trained on.",
        usage: "framepack train clips [<options>] --folder <folder>")

    @Option(help: "Folder of the training.")
    var folder: String
    @Option(parsing: .unconditional, help: "Side of the pictures, in pixels.")
    var side = 64
    @Option(parsing: .unconditional, help: "Number of shards; those that are there stay.")
    var shards = 32
    @Option(parsing: .unconditional, help: "Clips in a shard.")
    var size = 50
    @Option(parsing: .unconditional, help: "cpu, cuda, cuda:N, or auto for a GPU if there is one.")
    var device = DeviceOption(device: .cpu)
    @Option(parsing: .unconditional, help: "Threads; 0 leaves it to libtorch.")
    var threads = 0

    func validate() throws {
        try checkSide(side)
        try checkOption("shards", shards, 1...9999)
        try checkOption("size", size, 1...10000)
        try checkOption("threads", threads, 0...4096)
    }

    func run() throws {
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        let run = TrainingRun(path: folder)
        let cache = run.clipCache(side: side)
        let start = Date()
        let execution = TrainingExecution(device: try device.resolved())
        try cache.fill(
            run.finishedVAE(on: execution.device), count: shards, size: size, execution: execution
        ) { count in
            print("\(count)/\(shards) shards, \(Int(Date().timeIntervalSince(start))) s")
            fflush(nil)
        }
    }
}
