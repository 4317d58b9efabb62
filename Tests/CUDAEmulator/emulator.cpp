#include "cuda_emulator.h"

#include "words.h"

#include <map>
#include <string>

namespace emulator {

using Kernel = void (*)(const void *arguments);

static std::map<std::string, Kernel> &kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

struct Registration {
  Registration(const char *name, Kernel kernel) { kernels()[name] = kernel; }
};

/// How often each kernel ran on this thread.
static thread_local std::map<std::string, uint64_t> launches;

} // namespace emulator

#define CT_KERNEL(name, Arguments, body, type, width)                                              \
  static const emulator::Registration name##_##type##_##width(                                     \
      #name "_" #type "_" #width,                                                                  \
      [](const void *a) { body<type, width>(*static_cast<const Arguments *>(a)); });

// clang-format off
#include "arguments.h"
#include "numbers.cu"
#include "tokens.cu"
#include "frame.cu"
#include "products.cu"
// clang-format on

int32_t cuda_emulator_launch(
    const char *name, uint32_t x, uint32_t y, uint32_t threads, const void *arguments) {
  auto found = emulator::kernels().find(name);
  if (found == emulator::kernels().end() || threads == 0 || threads > CT_THREADS) return 1;
  emulator::Kernel kernel = found->second;
  ++emulator::launches[name];
  emulator::Block block(threads);
  gridDim = {x, y, 1};
  blockDim = {threads, 1, 1};
  for (blockIdx.y = 0; blockIdx.y < y; ++blockIdx.y) {
    for (blockIdx.x = 0; blockIdx.x < x; ++blockIdx.x) {
      if (!block.run([&] { kernel(arguments); })) return 1;
    }
  }
  return 0;
}

uint64_t cuda_emulator_launches(const char *kernel) {
  uint64_t sum = 0;
  for (const auto &[name, count] : emulator::launches) {
    if (name.rfind(kernel, 0) == 0) sum += count;
  }
  return sum;
}
