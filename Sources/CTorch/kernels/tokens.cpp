// Kernels for tokens: attention, and norms with what follows them.
#include "dispatch.h"

#include "../cuda/cuda.h"
#include "ctorch_kernels.h"

#include <ATen/ops/empty.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>

namespace ct::kernels {
namespace {

/// Whether the channels of heads, the last axis, are what the kernels take.
bool fits(const at::Tensor &t) {
  int64_t size = t.size(-1);
  return t.dim() == 4 && size % headMultiple == 0 && size <= largestHead && size > 0 &&
      t.stride(-1) == 1 && t.stride(1) % 2 == 0;
}

/// Whether `t` is `(B or 1, 1, C)` for tokens `(B, L, C)`.
bool isForSamples(const at::Tensor &t, const at::Tensor &x) {
  return alike(x, t) && t.dim() == 3 && t.size(1) == 1 && t.size(2) == x.size(2) &&
      (t.size(0) == x.size(0) || t.size(0) == 1) && t.stride(2) == 1;
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

} // namespace
} // namespace ct::kernels

using namespace ct;
using namespace ct::kernels;

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
    bool fit = x.dim() == 3 && x.is_contiguous() && x.numel() > 0 && isForSamples(f, x) &&
        isForSamples(s, x);
    if (!fit) return CT_OK;
    if (cuda::serves(x)) {
      *out = giveIfThere(cuda::normModulate(x, f, s, eps));
      return CT_OK;
    }
    if (x.size(2) % 32 != 0) return CT_OK;
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
    bool fit = x.dim() == 4 && x.stride(3) == 1 && alike(x, w) && w.dim() == 1 &&
        w.size(0) == x.size(3) && w.stride(0) == 1 && x.numel() > 0;
    at::Tensor p = phases ? ref(phases) : at::Tensor();
    if (p.defined()) {
      fit = fit && p.device() == x.device() && p.scalar_type() == at::kFloat && p.dim() == 5 &&
          (p.size(0) == x.size(0) || p.size(0) == 1) && p.size(1) <= x.size(1) &&
          p.size(2) == 1 && p.size(3) * 2 == x.size(3) && p.size(4) == 2 && p[0].is_contiguous();
    }
    if (!fit) return CT_OK;
    if (cuda::serves(x)) {
      *out = giveIfThere(cuda::normRotate(x, w, p, eps));
      return CT_OK;
    }
    if (!fits(x)) return CT_OK;
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

int32_t ct_kernels_add_product(
    ct_tensor input, ct_tensor branch, ct_tensor gate, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &b = ref(branch), &g = ref(gate);
    *out = nullptr;
    bool fit = x.dim() == 3 && x.is_contiguous() && x.numel() > 0 && alike(x, b) &&
        b.sizes() == x.sizes() && b.is_contiguous() && isForSamples(g, x);
    if (fit && cuda::serves(x)) *out = giveIfThere(cuda::addProduct(x, b, g));
  })
}
