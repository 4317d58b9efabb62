// The choice of the processor's table of kernels, and the division of work among threads.
#pragma once
#include "kernels.h"

#include "../internal.h"

#include <functional>

namespace ct::kernels {

/// Instructions that this processor has and ATEN_CPU_CAPABILITY allows.
enum class Level { none, avx2, avx512, avx512bf16 };

/// What this thread may use.
Level level();

/// The kernels of the level for activations of type `T`; null where there are none.
template <typename T> const Table<T> *table();
template <> const Table<float> *table<float>();
template <> const Table<bf16> *table<bf16>();

/// Divides 0 ..< count among libtorch's threads.
void inParallel(int64_t count, const std::function<void(int64_t, int64_t)> &body);

/// Calls `body` for each of `count` rows, some at a time on each thread.
void forEachRow(int64_t count, const std::function<void(int64_t)> &body);

template <typename T> T *data(const at::Tensor &t) { return static_cast<T *>(t.data_ptr()); }

/// Gives out what `body` makes with the kernels for the type of `t`; nothing where there are none.
template <typename F> void withKernels(const at::Tensor &t, ct_tensor *out, F body) {
  if (!t.device().is_cpu() || t.layout() != at::kStrided) return;
  if (t.scalar_type() == at::kFloat) {
    if (auto *kernels = table<float>()) *out = give(body(*kernels));
  } else if (t.scalar_type() == at::kBFloat16) {
    if (auto *kernels = table<bf16>()) *out = give(body(*kernels));
  }
}

/// A sample's part of a tensor that has one for each, or one for all.
template <typename T> const T *ofSample(const at::Tensor &t, int64_t sample) {
  return data<T>(t) + (t.size(0) == 1 ? 0 : sample * t.stride(0));
}

inline bool alike(const at::Tensor &a, const at::Tensor &b) {
  return a.scalar_type() == b.scalar_type() && a.device() == b.device();
}

} // namespace ct::kernels
