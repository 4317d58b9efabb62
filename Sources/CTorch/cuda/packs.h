// How tensors are handed to kernels: names of types, and how many elements are taken at once.
#pragma once
#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <string>

namespace ct::cuda {

/// The type's name in the kernels' names; null where they do not compute in it.
const char *typeName(at::ScalarType type);

/// Elements that a kernel takes at once: as many as 16 bytes hold where every address and every step
/// from one row to the next allows it, else one.
int64_t packWidth(
    std::initializer_list<at::Tensor> tensors, std::initializer_list<int64_t> steps);

/// A kernel's name with type and width, such as "frame_bf16_8".
std::string kernelName(const char *kernel, const at::Tensor &x, int64_t width);

/// 0 for one row that serves all samples, else the step to the next sample's.
inline int64_t sampleStride(const at::Tensor &t) { return t.size(0) == 1 ? 0 : t.stride(0); }

/// So many parts of some size that nothing is left.
inline int64_t parts(int64_t count, int64_t size) { return (count + size - 1) / size; }

} // namespace ct::cuda
