public import ArgumentParser
public import FramePack
public import FramePackBench
public import FramePackTraining
public import Torch

// What the library lets a user choose from, as values of options.
extension BenchmarkCase: ExpressibleByArgument {}
extension ClosedForm: ExpressibleByArgument {}
extension ConversionFormat: ExpressibleByArgument {}
extension DecodeChoice: ExpressibleByArgument {}
extension HistoryOrder: ExpressibleByArgument {}
extension Kernels: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}
extension OptimizerChoice: ExpressibleByArgument {}
extension CaptionForm: ExpressibleByArgument {}
extension PrecisionChoice: ExpressibleByArgument {}
extension ProbeComponent: ExpressibleByArgument {}
extension SamplerChoice: ExpressibleByArgument {}
extension SamplingOrder: ExpressibleByArgument {}
extension StepCacheChoice: ExpressibleByArgument {}
extension WeightFormatChoice: ExpressibleByArgument {}
