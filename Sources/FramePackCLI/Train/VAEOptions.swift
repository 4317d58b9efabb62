import ArgumentParser
import Models

/// Which VAE a training's commands work on; each of them has to be told the same.
struct VAEOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Side of the pictures, in pixels.")
    var side = 64
    @Option(help: "Channels of each level, the finest first.")
    var widths = "32,32,64,64"
    @Option(parsing: .unconditional, help: "Groups of the group normalisations.")
    var groups = 4

    func validate() throws {
        try checkSide(side)
        try checkOption("groups", groups, 1...1024)
        let levels = widths.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard levels.count == 4, levels.allSatisfy({ ($0 ?? 0) > 0 && ($0 ?? 0) % groups == 0 })
        else {
            throw ValidationError(
                "--widths is \"\(widths)\"; it must be four numbers with commas, each a multiple of "
                    + "--groups (\(groups))")
        }
    }

    /// The network's sizes.
    var config: VAEConfig {
        VAEConfig(
            blockOutChannels: widths.split(separator: ",").compactMap { Int($0) },
            layersPerBlock: 1, normNumGroups: groups)
    }
}
