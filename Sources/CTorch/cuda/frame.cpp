// Launchers of the kernels for clips.
#include "arguments.h"
#include "cuda.h"
#include "launch.h"
#include "packs.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <climits>

namespace ct::cuda {
namespace {

/// As in the kernels' text.
constexpr int64_t summingThreads = 256, largestGroup = 128;
constexpr int64_t positionsPerBlock = 1024, warp = 32;

uint32_t number(int64_t x) { return static_cast<uint32_t>(x); }

/// `(B, C, F, h, w)` with channels side by side.
at::Tensor sideBySide(const at::Tensor &x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast3d);
}

/// Sums over blocks of positions, `(B, blocks, 2, C)`; undefined where no kernel fits.
at::Tensor channelSums(const at::Tensor &x) {
  int64_t samples = x.size(0), size = x.size(1), positions = x.numel() / samples / size;
  int64_t width = packWidth({x}, {size}), lanes = size / width;
  int64_t blocks = parts(positions, positionsPerBlock);
  if (lanes > summingThreads || blocks > INT_MAX || samples > USHRT_MAX) return {};
  at::Tensor sums = at::empty({samples, blocks, 2, size}, x.options().dtype(at::kFloat)
                                  .memory_format(at::MemoryFormat::Contiguous));
  ChannelSums a{
      x.data_ptr(), static_cast<float *>(sums.data_ptr()), positions, positionsPerBlock, size};
  Grid grid{number(blocks), number(samples), number(summingThreads / lanes * lanes)};
  return launch(x.device(), kernelName("channel_sums", x, width), grid, &a) ? sums : at::Tensor();
}

} // namespace

at::Tensor channelScales(
    const at::Tensor &input, int64_t groups, const at::Tensor &weight, const at::Tensor &bias,
    double eps) {
  at::Tensor x = sideBySide(input);
  int64_t samples = x.size(0), size = x.size(1);
  if (size / groups > largestGroup || weight.device() != x.device() || bias.device() != x.device())
    return {};
  at::Tensor sums = channelSums(x);
  if (!sums.defined()) return {};
  at::Tensor scales = at::empty({samples, 2, size}, sums.options());
  ChannelScales a{};
  a.x = x.data_ptr();
  a.sums = static_cast<const float *>(sums.data_ptr());
  a.weight = static_cast<const float *>(weight.data_ptr());
  a.bias = static_cast<const float *>(bias.data_ptr());
  a.scales = static_cast<float *>(scales.data_ptr());
  a.positions = x.numel() / samples / size;
  a.blocks = sums.size(1);
  a.size = size;
  a.groupSize = size / groups;
  a.eps = eps;
  // A thread for each block's sum, as far as they go.
  int64_t threads = std::min(parts(a.blocks, warp) * warp, summingThreads);
  Grid grid{number(groups), number(samples), number(threads)};
  return launch(x.device(), kernelName("channel_scales", x, 1), grid, &a) ? scales : at::Tensor();
}

at::Tensor framed(
    const at::Tensor &input, const at::Tensor &scales, int64_t front, int64_t side, int64_t first,
    int64_t rows) {
  at::Tensor x = sideBySide(input);
  int64_t samples = x.size(0), size = x.size(1), frames = x.size(2) + front;
  int64_t columns = x.size(4) + 2 * side;
  bool fit = !scales.defined() ||
      (scales.device() == x.device() && scales.scalar_type() == at::kFloat &&
       scales.is_contiguous() && scales.sizes() == at::IntArrayRef({samples, 2, size}));
  at::Tensor out = at::empty(
      {samples, size, frames, rows, columns},
      x.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  int64_t width = packWidth({x, out}, {size});
  int64_t packs = out.numel() / samples / width;
  if (!fit || packs > INT_MAX - summingThreads || samples > USHRT_MAX) return {};
  Frame a{};
  a.x = x.data_ptr();
  a.scales = scales.defined() ? static_cast<const float *>(scales.data_ptr()) : nullptr;
  a.out = out.data_ptr();
  a.size = size;
  a.frames = x.size(2);
  a.height = x.size(3);
  a.width = x.size(4);
  a.front = front;
  a.side = side;
  a.first = first;
  a.rows = rows;
  Grid grid{number(parts(packs, summingThreads)), number(samples), number(summingThreads)};
  return launch(x.device(), kernelName("frame", x, width), grid, &a) ? out : at::Tensor();
}

} // namespace ct::cuda
