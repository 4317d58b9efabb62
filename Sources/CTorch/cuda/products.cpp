// Products with weights: what follows them, and those of eight bits.
#include "arguments.h"
#include "cuda.h"
#include "launch.h"
#include "packs.h"

#include <ATen/ops/_addmm_activation.h>
#include <ATen/ops/_int_mm.h>
#include <ATen/ops/_scaled_mm.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>

#include <climits>

namespace ct::cuda {
namespace {

constexpr int64_t warp = 32, mostThreads = 512, usualThreads = 256;
/// As in the kernels' text.
constexpr int64_t heldPacks = 4;
/// cuBLAS multiplies bytes of more rows than this, and of whole groups of columns.
constexpr int64_t fewestRows = 17, columnGroup = 16;

uint32_t number(int64_t x) { return static_cast<uint32_t>(x); }

/// Rows in eight bits.
struct Rounded {
  at::Tensor codes, scales;
};

/// Rounds each row of `(n, C)`; undefined where no kernel fits.
Rounded rounded(const at::Tensor &x, at::ScalarType type) {
  int64_t rows = x.size(0), size = x.size(1), width = packWidth({x}, {size});
  int64_t threads = parts(parts(size / width, heldPacks), warp) * warp;
  if (threads > mostThreads || rows > INT_MAX) return {};
  Rounded result{
      at::empty(x.sizes(), x.options().dtype(type)),
      at::empty({rows, 1}, x.options().dtype(at::kFloat))};
  RoundRows a{};
  a.x = x.data_ptr();
  a.codes = static_cast<unsigned char *>(result.codes.data_ptr());
  a.scales = static_cast<float *>(result.scales.data_ptr());
  a.size = size;
  a.isFP8 = type == at::kFloat8_e4m3fn;
  Grid grid{number(rows), 1, number(threads)};
  return launch(x.device(), kernelName("round_rows", x, width), grid, &a) ? result : Rounded{};
}

/// Whether eight bits of the rows of `x` can be multiplied with `(out, C)` codes of a type.
bool fits(
    const at::Tensor &x, const at::Tensor &codes, const at::Tensor &bias, at::ScalarType type) {
  return codes.layout() == at::kStrided && codes.device() == x.device() &&
      codes.scalar_type() == type && codes.dim() == 2 && codes.is_contiguous() &&
      codes.size(1) == x.size(-1) && codes.size(0) % columnGroup == 0 &&
      codes.size(1) % columnGroup == 0 && x.numel() >= fewestRows * x.size(-1) &&
      (!bias.defined() ||
       (bias.device() == x.device() && bias.scalar_type() == x.scalar_type() &&
        bias.is_contiguous() && bias.numel() == codes.size(0)));
}

/// `(…, out)` for `x` `(…, C)`.
std::vector<int64_t> resultSizes(const at::Tensor &x, int64_t size) {
  auto sizes = x.sizes().vec();
  sizes.back() = size;
  return sizes;
}

/// sums · row scale · column scale + bias, then what bends, in a type.
at::Tensor finished(
    const at::Tensor &sums, const Rounded &rows, const at::Tensor &scales, const at::Tensor &bias,
    int32_t bend, at::ScalarType type) {
  int64_t count = sums.size(0), size = sums.size(1);
  at::Tensor out = at::empty(sums.sizes(), sums.options().dtype(type));
  int64_t width = bias.defined() ? packWidth({out, bias}, {size}) : packWidth({out}, {size});
  FinishSums a{};
  a.sums = static_cast<const int *>(sums.data_ptr());
  a.rowScales = static_cast<const float *>(rows.scales.data_ptr());
  a.columnScales = static_cast<const float *>(scales.data_ptr());
  a.bias = bias.defined() ? bias.data_ptr() : nullptr;
  a.out = out.data_ptr();
  a.size = size;
  a.bend = bend;
  Grid grid{number(count), number(parts(size / width, usualThreads)), number(usualThreads)};
  return launch(out.device(), kernelName("finish_sums", out, width), grid, &a) ? out
                                                                              : at::Tensor();
}

/// Rows · codesᵀ, scaled on both sides, + bias, in bfloat16.
at::Tensor scaledProduct(
    const Rounded &rows, const at::Tensor &codes, const at::Tensor &columnScales,
    const at::Tensor &bias) {
  std::optional<at::Tensor> none;
  if (rows.codes.is_cpu()) {
    // Where it stands for a GPU: libtorch has one scale for all there.
    at::Tensor one = at::ones({}, rows.scales.options());
    at::Tensor sums = at::_scaled_mm(rows.codes, codes.t(), one, one, none, none, at::kFloat);
    at::Tensor scaled = at::mul(at::mul(sums, rows.scales), columnScales);
    return (bias.defined() ? at::add(scaled, bias) : scaled).to(at::kBFloat16);
  }
  std::optional<at::Tensor> added = bias.defined() ? std::optional(bias) : none;
  return at::_scaled_mm(
      rows.codes, codes.t(), rows.scales, columnScales, added, none, at::kBFloat16,
      /*use_fast_accum=*/true);
}

} // namespace

at::Tensor linearBytes(
    const at::Tensor &x, const at::Tensor &codes, const at::Tensor &scales, const at::Tensor &bias,
    int32_t bend) {
  bool fit = fits(x, codes, bias, at::kChar) && scales.device() == x.device() &&
      scales.scalar_type() == at::kFloat && scales.is_contiguous() &&
      scales.numel() == codes.size(0);
  if (!fit) return {};
  Rounded rows = rounded(x.reshape({-1, x.size(-1)}).contiguous(), at::kChar);
  if (!rows.codes.defined()) return {};
  at::Tensor sums = at::_int_mm(rows.codes, codes.t());
  at::Tensor out = finished(sums, rows, scales, bias, bend, x.scalar_type());
  return out.defined() ? out.view(resultSizes(x, codes.size(0))) : out;
}

at::Tensor linearFP8(
    const at::Tensor &x, const at::Tensor &codes, const at::Tensor &scales,
    const at::Tensor &bias) {
  constexpr int firstCapability = 89;
  int64_t size = codes.size(0);
  // libtorch gives out bfloat16 where each row has a scale.
  bool fit = x.scalar_type() == at::kBFloat16 && capability(x.device()) >= firstCapability &&
      fits(x, codes, bias, at::kFloat8_e4m3fn) && scales.device() == x.device() &&
      scales.scalar_type() == at::kFloat && (scales.numel() == 1 || scales.numel() == size);
  if (!fit) return {};
  Rounded rows = rounded(x.reshape({-1, x.size(-1)}).contiguous(), at::kFloat8_e4m3fn);
  if (!rows.codes.defined()) return {};
  at::Tensor columns = scales.reshape({1, -1}).expand({1, size}).contiguous();
  return scaledProduct(rows, codes, columns, bias).view(resultSizes(x, size));
}

at::Tensor linearGELU(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias) {
  auto alike = [&](const at::Tensor &t) {
    return t.device() == x.device() && t.scalar_type() == x.scalar_type();
  };
  bool fit = typeName(x.scalar_type()) && x.dim() >= 2 && x.is_contiguous() && x.numel() > 0 &&
      alike(weight) && weight.dim() == 2 && weight.is_contiguous() &&
      weight.size(1) == x.size(-1) && alike(bias) && bias.dim() == 1 && bias.is_contiguous() &&
      bias.size(0) == weight.size(0);
  if (!fit) return {};
  at::Tensor rows = x.view({-1, x.size(-1)});
  return at::_addmm_activation(bias, rows, weight.t(), 1, 1, /*use_gelu=*/true)
      .view(resultSizes(x, weight.size(0)));
}

} // namespace ct::cuda
