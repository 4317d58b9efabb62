public import ArgumentParser
public import FramePack

// What the library lets a user choose from, as values of options.
extension ClosedForm: ExpressibleByArgument {}
extension DecodeChoice: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}
extension PrecisionChoice: ExpressibleByArgument {}
extension ProbeComponent: ExpressibleByArgument {}
extension SamplerChoice: ExpressibleByArgument {}
extension SamplingOrder: ExpressibleByArgument {}
extension StepCacheChoice: ExpressibleByArgument {}
