import ArgumentParser
import Foundation
import FramePackTraining
import Models
import Torch
import ToyWorld

/// `framepack train finish-vae`.
struct TrainFinishVAECommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finish-vae",
        abstract: "Normalise a trained VAE's latents, measure it, and put it into the model.",
        usage: "framepack train finish-vae [<options>] --folder <folder>")

    @Option(help: "Folder of the training.")
    var folder: String
    @OptionGroup var network: VAEOptions

    func run() throws {
        let run = TrainingRun(path: folder)
        print("averaged weights of step \(try AveragedWeights(run.vaeState).step)")
        let finished = try run.finishVAE(network.config, side: network.side)
        let gate = finished.gate
        let psnr = gate.psnrByFrame.map { String(format: "%.1f", $0) }
        print("PSNR by frame", psnr.enumerated().filter { $0.offset % 6 == 0 }.map(\.element))
        print(String(format: "object PSNR %.1f dB, lag %.2f px", gate.objectPSNR, gate.lag))
        for (name, summary) in [("rendered", gate.rendered), ("decoded", gate.judged)] {
            let all = summary.overall
            print(
                name, "colour \(all.colour.right)/\(all.colour.judged)",
                "shape \(all.shape.right)/\(all.shape.judged)",
                "direction \(all.direction.right)/\(all.direction.judged)",
                "presence \(all.presence.right)/\(all.presence.judged)")
        }
    }
}
