import Foundation
import FramePackTraining
import Torch
import TorchDistributed

extension DeviceOption {
    /// The device of one of several processes, each of which has a GPU of its machine for itself.
    ///
    /// - Throws: `CommandError` for a machine with fewer GPUs than processes.
    func resolved(for launch: ProcessLaunch?) throws -> Device {
        let device = try resolved()
        guard let launch, device.kind == .cuda else { return device }
        return try DeviceOption(device: .cuda(launch.localRank)).resolved()
    }
}

/// The processes of a training, of which this is one; most trainings have no other.
struct TrainingProcesses {
    /// nil for a training in one process.
    let group: ProcessGroup?

    /// This process and no other.
    static let alone = TrainingProcesses(group: nil)

    private init(group: ProcessGroup?) { self.group = group }

    /// Whether this process prints, logs and stores.
    var isFirst: Bool { group?.rank ?? 0 == 0 }

    /// Which process this is, from the variables of torchrun or Slurm; nil for the only one.
    ///
    /// - Throws: `CommandError` that names the variable that is missing or wrong.
    static func launch() throws -> ProcessLaunch? {
        do {
            return try ProcessLaunch(environment: ProcessInfo.processInfo.environment)
        } catch {
            throw CommandError.usage("\(error).")
        }
    }

    /// Meets the others.
    init(_ launch: ProcessLaunch?, device: Device) throws {
        group = try launch.map { try ProcessGroup($0, device: device) }
        group?.onLoss(after: 5) { error in
            // A computation can't be broken off, and its result would be of no use.
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            _exit(ExitStatus.failure.rawValue)
        }
    }

    /// Runs what writes files on rank 0 first, then on the others, which find them.
    func inTurn<R>(_ body: () throws -> R) throws -> R {
        guard let group, !isFirst else {
            let result = try body()
            try group?.barrier()
            return result
        }
        try group.barrier()
        return try body()
    }

    /// Prints a line, once for all processes.
    func print(_ line: String) {
        if isFirst { Swift.print(line) }
    }

    /// Ends with the others, which learn of an error.
    func finish(_ body: () throws -> Void) throws {
        do {
            try body()
            try leave()
        } catch CommandError.cancelled(let text) {
            try leave()
            throw CommandError.cancelled(text)
        } catch {
            group?.fail(error)
            throw error
        }
    }

    private func leave() throws {
        try group?.barrier()
        group?.close()
    }
}
