// What the C ABI offers of the kernels: tensors, threads, and the choice of the processor's table.
#include "kernels.h"

#include "../internal.h"
#include "ctorch_kernels.h"

#include <ATen/Context.h>
#include <ATen/TensorIterator.h>
#include <ATen/Version.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mkldnn_convolution.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <functional>
#include <string>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace ct::kernels {
namespace {

/// Instructions that this processor has and ATEN_CPU_CAPABILITY allows.
enum class Level { none, avx2, avx512, avx512bf16 };

Level detectedLevel() {
#if defined(__x86_64__)
  std::string capability = at::get_cpu_capability();
  if (capability.rfind("AVX512", 0) == 0) {
    return __builtin_cpu_supports("avx512bf16") ? Level::avx512bf16 : Level::avx512;
  }
  if (capability == "AVX2") return Level::avx2;
#endif
  return Level::none;
}

Level found() {
  static const Level level = detectedLevel();
  return level;
}

/// Of the calling thread alone: what another one computes meanwhile stays the same bits.
thread_local Level highest = Level::avx512bf16;

Level level() { return std::min(found(), highest); }

template <typename T> const Table<T> *table();

template <> const Table<float> *table<float>() {
#if defined(__x86_64__)
  switch (level()) {
  case Level::none: return nullptr;
  case Level::avx2: return &avx2::floats;
  default: return &avx512::floats;
  }
#else
  return nullptr;
#endif
}

template <> const Table<bf16> *table<bf16>() {
#if defined(__x86_64__)
  switch (level()) {
  case Level::none: return nullptr;
  case Level::avx2: return &avx2::halves;
  case Level::avx512: return &avx512::halves;
  case Level::avx512bf16: return &avx512bf16::halves;
  }
#endif
  return nullptr;
}

/// Divides 0 ..< count among libtorch's threads, by the one loop that it exports: an iterator's.
void inParallel(int64_t count, const std::function<void(int64_t, int64_t)> &body) {
  at::Tensor numbers = at::arange(count, at::kLong);
  auto iterator = at::TensorIterator::borrowing_nullary_op(numbers);
  iterator.for_each(
      [&](char **data, const int64_t *, int64_t size) {
        int64_t from = *reinterpret_cast<int64_t *>(data[0]);
        body(from, from + size);
      },
      1);
}

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

bool alike(const at::Tensor &a, const at::Tensor &b) {
  return a.scalar_type() == b.scalar_type() && a.device() == b.device();
}

/// Whether the channels of heads, the last axis, are what the kernels take.
bool fits(const at::Tensor &t) {
  int64_t size = t.size(-1);
  return t.dim() == 4 && size % headMultiple == 0 && size <= largestHead && size > 0 &&
      t.stride(-1) == 1 && t.stride(1) % 2 == 0;
}

template <typename T>
at::Tensor attend(
    const AttentionKernels<T> &kernel, const at::Tensor &q, const at::Tensor &k,
    const at::Tensor &v, double scale) {
  at::Tensor out = at::empty(q.sizes(), q.options());
  int64_t samples = q.size(0), count = q.size(1), heads = q.size(2), size = q.size(3);
  int64_t keyCount = k.size(1);
  // Few enough that the threads end together, many enough that what is packed is used.
  int64_t rows = kernel.rows * 16, blocks = (count + rows - 1) / rows;
  inParallel(samples * heads * blocks, [&](int64_t from, int64_t to) {
    int64_t bytes = kernel.packedBytes(keyCount, size);
    c10::DataPtr keys = c10::GetCPUAllocator()->allocate(bytes);
    c10::DataPtr values = c10::GetCPUAllocator()->allocate(bytes);
    int64_t packed = -1;
    for (int64_t task = from; task < to; ++task) {
      int64_t head = task / blocks, s = head / heads, h = head % heads;
      if (head != packed) {
        kernel.packKeys(
            data<T>(k) + s * k.stride(0) + h * k.stride(2), k.stride(1), keyCount, size,
            keys.get());
        kernel.packValues(
            data<T>(v) + s * v.stride(0) + h * v.stride(2), v.stride(1), keyCount, size,
            values.get());
        packed = head;
      }
      int64_t row = task % blocks * rows;
      kernel.attend(
          data<T>(q) + s * q.stride(0) + row * q.stride(1) + h * q.stride(2), q.stride(1),
          std::min(rows, count - row), keys.get(), values.get(), keyCount, size,
          static_cast<float>(scale),
          data<T>(out) + s * out.stride(0) + row * out.stride(1) + h * out.stride(2),
          out.stride(1));
    }
  });
  return out;
}

/// Calls `body` for each of `count` rows, some at a time on each thread.
void forEachRow(int64_t count, const std::function<void(int64_t)> &body) {
  constexpr int64_t block = 16;
  inParallel((count + block - 1) / block, [&](int64_t from, int64_t to) {
    for (int64_t i = from * block; i < std::min(to * block, count); ++i) body(i);
  });
}

} // namespace
} // namespace ct::kernels

using namespace ct;
using namespace ct::kernels;

void ct_kernels_limit(int32_t level) { highest = static_cast<Level>(level); }

int32_t ct_kernels_level(void) { return static_cast<int32_t>(level()); }

const char *ct_kernels_name(void) {
  switch (level()) {
  case Level::none: return "none";
  case Level::avx2: return "AVX2";
  case Level::avx512: return "AVX512";
  case Level::avx512bf16: return "AVX512-BF16";
  }
  return "none";
}

int32_t ct_kernels_attention(
    ct_tensor q, ct_tensor k, ct_tensor v, double scale, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &a = ref(q), &b = ref(k), &c = ref(v);
    *out = nullptr;
    bool fit = fits(a) && fits(b) && fits(c) && alike(a, b) && alike(a, c) &&
        a.size(0) == b.size(0) && a.size(2) == b.size(2) && a.size(3) == b.size(3) &&
        b.sizes() == c.sizes() && b.size(1) > 0;
    if (!fit) return CT_OK;
    withKernels(
        a, out, [&](const auto &kernels) { return attend(kernels.attention, a, b, c, scale); });
  })
}

int32_t ct_kernels_norm_modulate(
    ct_tensor input, ct_tensor factor, ct_tensor shift, double eps, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &f = ref(factor), &s = ref(shift);
    *out = nullptr;
    // (B, L, C) with a factor and a shift of (B, 1, C).
    auto belongs = [&](const at::Tensor &t) {
      return alike(x, t) && t.dim() == 3 && t.size(1) == 1 && t.size(2) == x.size(2) &&
          (t.size(0) == x.size(0) || t.size(0) == 1) && t.stride(2) == 1;
    };
    bool fit = x.dim() == 3 && x.is_contiguous() && x.size(2) % 32 == 0 && x.numel() > 0 &&
        belongs(f) && belongs(s);
    if (!fit) return CT_OK;
    withKernels(x, out, [&]<typename T>(const Table<T> &kernels) {
      at::Tensor result = at::empty(x.sizes(), x.options());
      int64_t length = x.size(1), size = x.size(2);
      forEachRow(x.size(0) * length, [&](int64_t i) {
        int64_t sample = i / length;
        kernels.normModulate(
            data<T>(x) + i * size, ofSample<T>(f, sample), ofSample<T>(s, sample), size,
            static_cast<float>(eps), data<T>(result) + i * size);
      });
      return result;
    });
  })
}

int32_t ct_kernels_norm_rotate(
    ct_tensor input, ct_tensor weight, ct_tensor phases, double eps, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &w = ref(weight);
    *out = nullptr;
    // (B, N, H, D), of which the first L tokens turn by phases (B or 1, L, 1, D/2, 2).
    bool fit = fits(x) && alike(x, w) && w.dim() == 1 && w.size(0) == x.size(3) &&
        w.stride(0) == 1 && x.numel() > 0;
    at::Tensor p = phases ? ref(phases) : at::Tensor();
    if (p.defined()) {
      fit = fit && p.scalar_type() == at::kFloat && p.dim() == 5 && p[0].is_contiguous() &&
          (p.size(0) == x.size(0) || p.size(0) == 1) && p.size(1) <= x.size(1) &&
          p.size(3) * 2 == x.size(3);
    }
    if (!fit) return CT_OK;
    withKernels(x, out, [&]<typename T>(const Table<T> &kernels) {
      at::Tensor result = at::empty(x.sizes(), x.options());
      int64_t length = x.size(1), heads = x.size(2), size = x.size(3);
      int64_t turned = p.defined() ? p.size(1) : 0;
      forEachRow(x.size(0) * length, [&](int64_t i) {
        int64_t sample = i / length, token = i % length;
        const float *phase =
            token < turned ? ofSample<float>(p, sample) + token * size : nullptr;
        kernels.normRotate(
            data<T>(x) + sample * x.stride(0) + token * x.stride(1), data<T>(w), phase, heads,
            x.stride(2), size, static_cast<float>(eps), data<T>(result) + i * heads * size);
      });
      return result;
    });
  })
}

int32_t ct_kernels_convolution(
    ct_tensor input, ct_tensor weight, ct_tensor bias, const int64_t *stride,
    const int64_t *padding, int64_t axes, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &w = ref(weight);
    *out = nullptr;
    bool computes = level() != Level::none && x.device().is_cpu() && at::hasMKLDNN() &&
        at::globalContext().userEnabledMkldnn() && alike(x, w) && x.dim() == axes + 2 &&
        x.numel() > 0 &&
        (x.scalar_type() == at::kFloat ||
         // Below it oneDNN would imitate half precision slowly.
         (x.scalar_type() == at::kBFloat16 && level() >= Level::avx512));
    if (!computes) return CT_OK;
    std::vector<int64_t> dilation(axes, 1);
    *out = give(at::mkldnn_convolution(
        x, w, optional(bias), ints(padding, axes), ints(stride, axes), dilation, 1));
  })
}

void ct_keep_freed_memory(int64_t bytes) {
#if defined(__GLIBC__)
  // Blocks above the first limit are always mapped on their own, and unmapped at once.
  // glibc takes 32 MB at most for it.
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(std::min<int64_t>(bytes / 4, 32 << 20)));
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min<int64_t>(bytes, INT32_MAX)));
#endif
}
