// What a convolution takes in, and the convolution itself by oneDNN.
#include "onednn.h"

#include "ctorch_kernels.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace ct::kernels {
namespace {

/// A clip `(B, C, F, h, w)` whose channels lie side by side.
struct Clip {
  int64_t samples, channels, frames, height, width;

  explicit Clip(const at::Tensor &t)
      : samples(t.size(0)), channels(t.size(1)), frames(t.size(2)), height(t.size(3)),
        width(t.size(4)) {}

  int64_t positions() const { return frames * height * width; }
  int64_t elements() const { return positions() * channels; }
};

float number(float x) { return x; }
float number(bf16 x) { return static_cast<float>(c10::BFloat16(x, c10::BFloat16::from_bits())); }

/// What each channel of a sample is multiplied by, and what is added.
struct ChannelScales {
  std::vector<float> factors, shifts;
};

struct GroupNorm {
  int64_t groups;
  at::Tensor weight, bias; // float32
  double eps;
};

/// Sums over a sample, in float64, from sums over blocks in float32.
///
/// Each channel is taken less its first value, so that a mean far from zero costs no digits.
template <typename T>
ChannelScales channelScales(
    const Table<T> &kernels, const T *x, const Clip &clip, const GroupNorm &norm) {
  constexpr int64_t block = 512;
  int64_t size = clip.channels, blocks = (clip.positions() + block - 1) / block;
  std::vector<float> center(size), sums(blocks * size), squares(blocks * size);
  for (int64_t c = 0; c < size; ++c) center[c] = number(x[c]);
  inParallel(blocks, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      int64_t count = std::min(block, clip.positions() - i * block);
      kernels.channelSums(
          x + i * block * size, center.data(), count, size, &sums[i * size], &squares[i * size]);
    }
  });
  std::vector<double> sum(size), square(size);
  for (int64_t i = 0; i < blocks; ++i) {
    for (int64_t c = 0; c < size; ++c) {
      sum[c] += sums[i * size + c];
      square[c] += squares[i * size + c];
    }
  }
  ChannelScales scales{std::vector<float>(size), std::vector<float>(size)};
  int64_t width = size / norm.groups;
  double count = static_cast<double>(clip.positions());
  for (int64_t g = 0; g < size; g += width) {
    double mean = 0, variance = 0;
    for (int64_t c = g; c < g + width; ++c) mean += center[c] + sum[c] / count;
    mean /= static_cast<double>(width);
    for (int64_t c = g; c < g + width; ++c) {
      double off = center[c] - mean;
      variance += square[c] / count + 2 * off * sum[c] / count + off * off;
    }
    variance = std::max(variance / static_cast<double>(width), 0.0);
    double scale = 1 / std::sqrt(variance + norm.eps);
    for (int64_t c = g; c < g + width; ++c) {
      double factor = scale * data<float>(norm.weight)[c];
      scales.factors[c] = static_cast<float>(factor);
      scales.shifts[c] = static_cast<float>(data<float>(norm.bias)[c] - mean * factor);
    }
  }
  return scales;
}

/// Edges that are replicated around a clip: frames in front, pixels on each side.
struct Edges {
  int64_t front, side;
};

/// Writes row y of frame f, as `write` makes it, wherever the clip with its edges has it.
template <typename T, typename Write>
void placeRow(const Clip &clip, const Edges &edges, int64_t f, int64_t y, T *out, Write write) {
  int64_t size = clip.channels, width = clip.width + 2 * edges.side;
  int64_t height = clip.height + 2 * edges.side, area = height * width * size;
  T *row = out + (f + edges.front) * area + (y + edges.side) * width * size;
  T *inner = row + edges.side * size, *last = inner + (clip.width - 1) * size;
  write(inner);
  for (int64_t i = 0; i < edges.side; ++i) {
    std::memcpy(row + i * size, inner, size * sizeof(T));
    std::memcpy(last + (i + 1) * size, last, size * sizeof(T));
  }
  // How many copies of the row lie above and below it, and of all of them in frames before.
  int64_t above = y == 0 ? edges.side : 0, below = y == clip.height - 1 ? edges.side : 0;
  int64_t bytes = width * size * sizeof(T);
  for (int64_t i = -above; i <= below; ++i) {
    if (i != 0) std::memcpy(row + i * width * size, row, bytes);
  }
  if (f > 0) return;
  T *copies = row - above * width * size;
  for (int64_t i = 1; i <= edges.front; ++i) {
    std::memcpy(copies - i * area, copies, (above + 1 + below) * bytes);
  }
}

template <typename T>
at::Tensor framed(
    const Table<T> &kernels, const at::Tensor &input, const GroupNorm *norm,
    Edges edges) {
  at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  Clip clip(x);
  at::Tensor result = at::empty(
      {clip.samples, clip.channels, clip.frames + edges.front, clip.height + 2 * edges.side,
       clip.width + 2 * edges.side},
      x.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  int64_t row = clip.width * clip.channels;
  for (int64_t sample = 0; sample < clip.samples; ++sample) {
    const T *from = data<T>(x) + sample * clip.elements();
    T *to = data<T>(result) + sample * Clip(result).elements();
    ChannelScales scales;
    if (norm) scales = channelScales(kernels, from, clip, *norm);
    inParallel(clip.frames * clip.height, [&](int64_t first, int64_t end) {
      for (int64_t i = first; i < end; ++i) {
        placeRow(clip, edges, i / clip.height, i % clip.height, to, [&](T *place) {
          if (!norm) {
            std::memcpy(place, from + i * row, row * sizeof(T));
            return;
          }
          kernels.scaleShift(
              from + i * row, scales.factors.data(), scales.shifts.data(), clip.width,
              clip.channels, place);
        });
      }
    });
  }
  return result;
}

bool convolves(const at::Tensor &x, const at::Tensor &weight, int64_t axes) {
  return servesOneDNN(x, weight) && x.dim() == axes + 2;
}

at::Tensor convolve(
    const at::Tensor &x, const at::Tensor &weight, const OptionalTensor &bias, Integers padding,
    Integers stride, Integers dilation) {
  static auto call = operation<at::Tensor(
      const at::Tensor &, const at::Tensor &, const OptionalTensor &, Integers, Integers, Integers,
      int64_t, std::string_view, Scalars, Name)>("mkldnn::_convolution_pointwise", "");
  return call.call(x, weight, bias, padding, stride, dilation, 1, "none", Scalars(), Name());
}

at::Tensor convolveAndAdd(
    const at::Tensor &x, const at::Tensor &other, const at::Tensor &weight,
    const OptionalTensor &bias, Integers padding, Integers stride, Integers dilation) {
  static auto call = operation<at::Tensor(
      const at::Tensor &, const at::Tensor &, const at::Tensor &, const OptionalTensor &, Integers,
      Integers, Integers, int64_t, std::string_view, std::optional<at::Scalar>, Name, Scalars,
      Name)>("mkldnn::_convolution_pointwise", "binary");
  return call.call(
      x, other, weight, bias, padding, stride, dilation, 1, "add", std::nullopt, Name(), Scalars(),
      Name());
}

} // namespace
} // namespace ct::kernels

using namespace ct;
using namespace ct::kernels;

int32_t ct_kernels_frame(
    ct_tensor input, int64_t groups, ct_tensor weight, ct_tensor bias, double eps,
    int64_t front, int64_t side, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input);
    *out = nullptr;
    bool fit = x.dim() == 5 && x.numel() > 0;
    GroupNorm norm{groups, {}, {}, eps};
    if (weight) {
      norm.weight = ref(weight).to(at::kFloat).contiguous();
      norm.bias = ref(bias).to(at::kFloat).contiguous();
      fit = fit && x.size(1) % 16 == 0 && x.size(1) % groups == 0 &&
          norm.weight.numel() == x.size(1) && norm.bias.numel() == x.size(1);
    }
    if (!fit) return CT_OK;
    withKernels(x, out, [&](const auto &kernels) {
      return framed(kernels, x, weight ? &norm : nullptr, Edges{front, side});
    });
  })
}

int32_t ct_kernels_pack_convolution(
    ct_tensor input, ct_tensor weight, const int64_t *stride, int64_t axes, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &w = ref(weight);
    *out = nullptr;
    if (!convolves(x, w, axes)) return CT_OK;
    static auto call = operation<at::Tensor(
        const at::Tensor &, Integers, Integers, Integers, int64_t, at::OptionalIntArrayRef)>(
        "mkldnn::_reorder_convolution_weight", "");
    std::vector<int64_t> none(axes, 0), one(axes, 1);
    auto format =
        axes == 3 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast;
    *out = give(call.call(
        w.contiguous(format), none, ints(stride, axes), one, 1,
        at::OptionalIntArrayRef(x.sizes())));
  })
}

int32_t ct_kernels_convolution(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor added, const int64_t *stride,
    const int64_t *padding, int64_t axes, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input), &w = ref(weight);
    *out = nullptr;
    if (!convolves(x, w, axes)) return CT_OK;
    std::vector<int64_t> dilation(axes, 1);
    auto pads = ints(padding, axes), steps = ints(stride, axes);
    *out = give(
        added ? convolveAndAdd(x, ref(added), w, optional(bias), pads, steps, dilation)
              : convolve(x, w, optional(bias), pads, steps, dilation));
  })
}
