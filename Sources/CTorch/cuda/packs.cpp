#include "packs.h"

namespace ct::cuda {

const char *typeName(at::ScalarType type) {
  switch (type) {
  case at::kFloat: return "f32";
  case at::kBFloat16: return "bf16";
  case at::kHalf: return "f16";
  default: return nullptr;
  }
}

int64_t packWidth(
    std::initializer_list<at::Tensor> tensors, std::initializer_list<int64_t> steps) {
  constexpr int64_t bytes = 16;
  int64_t width = bytes / tensors.begin()->element_size();
  for (const at::Tensor &t : tensors) {
    if (reinterpret_cast<uintptr_t>(t.data_ptr()) % bytes != 0) return 1;
  }
  for (int64_t step : steps) {
    if (step % width != 0) return 1;
  }
  return width;
}

std::string kernelName(const char *kernel, const at::Tensor &x, int64_t width) {
  return std::string(kernel) + "_" + typeName(x.scalar_type()) + "_" + std::to_string(width);
}

} // namespace ct::cuda
