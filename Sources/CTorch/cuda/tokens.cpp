// Launchers of the kernels for tokens.
#include "arguments.h"
#include "cuda.h"
#include "launch.h"
#include "packs.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <climits>

namespace ct::cuda {
namespace {

constexpr int64_t warp = 32, mostThreads = 512;
/// Of a block where each thread does one thing.
constexpr int64_t usualThreads = 256;
/// As in the kernels' text.
constexpr int64_t heldPacks = 4, heldPairs = 4;

uint32_t number(int64_t x) { return static_cast<uint32_t>(x); }

} // namespace

bool serves(const at::Tensor &t) {
  return t.layout() == at::kStrided && typeName(t.scalar_type()) && isReady(t.device());
}

bool isOnGPU(const at::Tensor &t) { return isGPU(t.device()); }

at::Tensor normModulate(
    const at::Tensor &x, const at::Tensor &factor, const at::Tensor &shift, double eps) {
  int64_t size = x.size(2), rows = x.size(0) * x.size(1);
  NormModulate a{};
  a.factorStride = sampleStride(factor);
  a.shiftStride = sampleStride(shift);
  at::Tensor out = at::empty(x.sizes(), x.options());
  int64_t width = packWidth({x, factor, shift, out}, {size, a.factorStride, a.shiftStride});
  int64_t threads = parts(parts(size / width, heldPacks), warp) * warp;
  if (threads > mostThreads || rows > INT_MAX) return {};
  a.x = x.data_ptr();
  a.factor = factor.data_ptr();
  a.shift = shift.data_ptr();
  a.out = out.data_ptr();
  a.length = x.size(1);
  a.size = size;
  a.eps = static_cast<float>(eps);
  Grid grid{number(rows), 1, number(threads)};
  return launch(x.device(), kernelName("norm_modulate", x, width), grid, &a) ? out : at::Tensor();
}

at::Tensor normRotate(
    const at::Tensor &x, const at::Tensor &weight, const at::Tensor &phases, double eps) {
  int64_t tokens = x.size(0) * x.size(1), heads = x.size(2), size = x.size(3);
  if (size > 2 * heldPairs * warp || size % 2 != 0 || tokens > INT_MAX) return {};
  NormRotate a{};
  a.sampleStride = x.stride(0);
  a.tokenStride = x.stride(1);
  a.headStride = x.stride(2);
  at::Tensor out = at::empty(x.sizes(), x.options());
  int64_t width = packWidth({x, weight, out}, {a.sampleStride, a.tokenStride, a.headStride, size});
  a.x = x.data_ptr();
  a.weight = weight.data_ptr();
  a.out = out.data_ptr();
  if (phases.defined()) {
    a.phases = static_cast<const float *>(phases.data_ptr());
    a.phaseStride = sampleStride(phases);
    a.turned = phases.size(1);
  }
  a.length = x.size(1);
  a.heads = heads;
  a.size = size;
  a.eps = static_cast<float>(eps);
  int64_t warps = std::min(heads, usualThreads / warp);
  Grid grid{number(tokens), 1, number(warps * warp)};
  return launch(x.device(), kernelName("norm_rotate", x, width), grid, &a) ? out : at::Tensor();
}

at::Tensor addProduct(const at::Tensor &x, const at::Tensor &branch, const at::Tensor &gate) {
  AddProduct a{};
  a.size = x.size(2);
  a.count = x.size(1) * a.size;
  a.gateStride = sampleStride(gate);
  at::Tensor out = at::empty(x.sizes(), x.options());
  int64_t width = packWidth({x, branch, gate, out}, {a.size, a.gateStride});
  int64_t packs = a.count / width, samples = x.size(0);
  if (packs > INT_MAX || samples > USHRT_MAX) return {};
  a.x = x.data_ptr();
  a.branch = branch.data_ptr();
  a.gate = gate.data_ptr();
  a.out = out.data_ptr();
  Grid grid{number(parts(packs, usualThreads)), number(samples), number(usualThreads)};
  return launch(x.device(), kernelName("add_product", x, width), grid, &a) ? out : at::Tensor();
}

} // namespace ct::cuda
