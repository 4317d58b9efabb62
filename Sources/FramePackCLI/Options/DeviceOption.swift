import ArgumentParser
import Torch

/// Where the networks compute.
struct DeviceOption: ExpressibleByArgument {
    /// The device; nil for the best that is there.
    let device: Device?

    static let best = DeviceOption(device: nil)

    init(device: Device?) { self.device = device }

    init?(argument: String) {
        if argument == "auto" {
            self = .best
        } else if let device = Device(argument) {
            self.init(device: device)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { device.map { "\($0)" } ?? "auto" }

    /// The device for a plan, which need not be there: the best that is where none was named.
    var planned: Device { device ?? (try? resolved()) ?? .cpu }

    /// The device, ready to be used: a GPU where there is one and nothing else was asked for.
    ///
    /// - Throws: `TorchError` for a GPU that was asked for and is not there.
    func resolved() throws -> Device {
        guard let device else {
            try? Accelerator.loadCUDA()
            return Accelerator.cudaDeviceCount > 0 ? .cuda() : .cpu
        }
        guard device.kind == .cuda else { return device }
        do { try Accelerator.loadCUDA() } catch {
            throw TorchError(
                error.code,
                "The device \(device) cannot be used: \(error.message); make setup DEVICE=cuda "
                    + "fetches what it needs.")
        }
        guard device.index < Accelerator.cudaDeviceCount else {
            throw CommandError.usage(
                "The device \(device) is not there; this machine has "
                    + "\(Accelerator.cudaDeviceCount) GPUs that libtorch can use.")
        }
        return device
    }
}
