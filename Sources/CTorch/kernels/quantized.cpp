// Linear layers whose weights are stored in few bits.
#include "onednn.h"

#include "../cuda/cuda.h"
#include "ctorch_kernels.h"

#include <ATen/cpu/Utils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Float8_e4m3fn.h>

#include <array>

namespace ct::kernels {
namespace {

const float *fp8Numbers() {
  static const auto numbers = [] {
    std::array<float, 256> all;
    for (int i = 0; i < 256; ++i)
      all[i] = c10::Float8_e4m3fn(static_cast<uint8_t>(i), c10::Float8_e4m3fn::from_bits());
    return all;
  }();
  return numbers.data();
}

/// Bytes of a row of so many columns.
int64_t rowBytes(QuantizedFormat format, int64_t columns) {
  switch (format) {
  case QuantizedFormat::fp8:
  case QuantizedFormat::int8: return columns;
  case QuantizedFormat::int4: return columns / 2;
  case QuantizedFormat::q8_0: return columns / 32 * 34;
  case QuantizedFormat::q4_k: return columns / 256 * 144;
  case QuantizedFormat::q6_k: return columns / 256 * 210;
  }
  return -1;
}

bool isWhole(const at::Tensor &t) { return t.device().is_cpu() && t.is_contiguous(); }

/// Rows of activations that are multiplied at a time, so that sums stay in the caches.
constexpr int64_t rowsAtATime = 256;

using Prepack = at::Tensor(at::Tensor, std::optional<c10::List<int64_t>>);
using Product = at::Tensor(
    at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, double,
    int64_t, std::optional<at::ScalarType>, std::string_view, Scalars, std::string_view);

} // namespace
} // namespace ct::kernels

using namespace ct;
using namespace ct::kernels;

int32_t ct_kernels_decode(
    ct_tensor codes, ct_tensor scales, int32_t kind, int64_t columns, int64_t group, int32_t half,
    ct_tensor *out) {
  CT_TRY({
    const at::Tensor &bytes = ref(codes);
    *out = nullptr;
    QuantizedFormat format = static_cast<QuantizedFormat>(kind);
    bool fit = isWhole(bytes) && bytes.dim() == 2 && bytes.element_size() == 1 &&
        bytes.numel() > 0 && group > 0 && group % 2 == 0 &&
        bytes.size(1) == rowBytes(format, columns);
    QuantizedRows from{
        format, static_cast<const uint8_t *>(fit ? bytes.data_ptr() : nullptr),
        fit ? bytes.size(1) : 0, columns, nullptr, false, 0, group, fp8Numbers()};
    if (scales) {
      const at::Tensor &s = ref(scales);
      fit = fit && isWhole(s) && s.dim() == 2 && (s.size(0) == bytes.size(0) || s.size(0) == 1) &&
          s.size(1) == (columns + group - 1) / group &&
          (s.scalar_type() == at::kFloat || s.scalar_type() == at::kBFloat16);
      if (!fit) return CT_OK;
      from.scales = s.data_ptr();
      from.halfScales = s.scalar_type() == at::kBFloat16;
      from.scaleStride = s.size(0) == 1 ? 0 : s.size(1);
    }
    if (!fit) return CT_OK;
    auto type = half ? at::kBFloat16 : at::kFloat;
    at::Tensor like = at::empty({0}, at::TensorOptions().dtype(type));
    withKernels(like, out, [&]<typename T>(const Table<T> &kernels) {
      at::Tensor result = at::empty({bytes.size(0), columns}, like.options());
      forEachRow(bytes.size(0), [&](int64_t row) {
        kernels.decodeRow(from, row, data<T>(result) + row * columns);
      });
      return result;
    });
  })
}

int32_t ct_kernels_multiply_bytes(void) {
  // Without these instructions sums of 16 bits would overflow.
  return level() >= Level::avx512 && at::hasMKLDNN() && at::cpu::is_avx512_vnni_supported();
}

int32_t ct_kernels_pack_bytes(ct_tensor codes, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &w = ref(codes);
    *out = nullptr;
    bool fit = ct_kernels_multiply_bytes() && isWhole(w) && w.dim() == 2 &&
        w.scalar_type() == at::kChar && w.numel() > 0;
    if (!fit) return CT_OK;
    static auto call = operation<Prepack>("onednn::qlinear_prepack", "");
    *out = give(call.call(w, c10::List<int64_t>({rowsAtATime, w.size(1)})));
  })
}

int32_t ct_kernels_linear_bytes(
    ct_tensor input, ct_tensor packed, ct_tensor scales, ct_tensor bias, int32_t bend,
    ct_tensor *out) {
  CT_TRY({
    at::Tensor x = ref(input).contiguous();
    const at::Tensor &w = ref(packed), &s = ref(scales);
    *out = nullptr;
    if (cuda::serves(x)) {
      at::Tensor b = bias ? ref(bias) : at::Tensor();
      *out = giveIfThere(cuda::linearBytes(x, w, s, b, bend));
      return CT_OK;
    }
    int64_t size = x.dim() > 0 ? x.size(-1) : 0, count = size > 0 ? x.numel() / size : 0, width = s.numel();
    bool fit = ct_kernels_multiply_bytes() && x.dim() > 0 && size % 16 == 0 && count > 0 &&
        width % 16 == 0 && width > 0 && isWhole(s) && s.scalar_type() == at::kFloat;
    at::Tensor b = bias ? ref(bias).to(at::kFloat).contiguous() : at::Tensor();
    if (b.defined()) fit = fit && b.numel() == width;
    if (!fit) return CT_OK;
    static auto call = operation<Product>("onednn::qlinear_pointwise", "");
    at::Tensor zeros = at::zeros({width}, at::kInt), flat = s.view({width});
    withKernels(x, out, [&]<typename T>(const Table<T> &kernels) {
      auto sizes = x.sizes().vec();
      sizes.back() = width;
      at::Tensor result = at::empty(sizes, x.options());
      at::Tensor bytes = at::empty({std::min(count, rowsAtATime), size}, at::kByte);
      std::array<float, rowsAtATime> factors;
      for (int64_t from = 0; from < count; from += rowsAtATime) {
        int64_t rows = std::min(rowsAtATime, count - from);
        forEachRow(rows, [&](int64_t i) {
          factors[i] = kernels.toBytes(
              data<T>(x) + (from + i) * size, size, data<uint8_t>(bytes) + i * size);
        });
        at::Tensor sums = call.call(
            bytes.narrow(0, 0, rows), 1, 128, w, flat, zeros, std::nullopt, 1, 0, at::kFloat,
            "none", Scalars(), "");
        forEachRow(rows, [&](int64_t i) {
          kernels.finish(
              data<float>(sums) + i * width, factors[i],
              b.defined() ? data<float>(b) : nullptr, width, static_cast<Bend>(bend),
              data<T>(result) + (from + i) * width);
        });
      }
      return result;
    });
  })
}

int32_t ct_kernels_linear_fp8(
    ct_tensor input, ct_tensor codes, ct_tensor scales, ct_tensor bias, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input);
    *out = nullptr;
    if (!cuda::serves(x)) return CT_OK;
    at::Tensor b = bias ? ref(bias) : at::Tensor();
    *out = giveIfThere(cuda::linearFP8(x, ref(codes), ref(scales), b));
  })
}
