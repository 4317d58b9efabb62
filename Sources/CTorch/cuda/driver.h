// The GPU's driver: loading machine code, and starting it.
#pragma once
#include "launch.h"

#include <map>
#include <string>

namespace ct::cuda {

/// The compute capability of a GPU, 90 for 9.0; throws a sentence where the driver does not tell.
int capability(int index);

/// Machine code on one GPU, in the context that libtorch uses. It is never unloaded: kernels may run
/// until the program ends.
class Module {
public:
  /// Loads machine code or PTX; throws a sentence where the driver refuses.
  Module(int index, const std::string &code);

  /// Queues a kernel, which takes one structure, on a stream; throws a sentence where that fails.
  void launch(const std::string &kernel, Grid grid, void *stream, const void *arguments);

private:
  void *function(const std::string &kernel);

  void *context, *module;
  std::map<std::string, void *> functions;
};

} // namespace ct::cuda
