// What a convolution takes in, and the convolution itself by oneDNN.
#include "onednn.h"

#include "../cuda/cuda.h"
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

/// What is replicated around a clip, frames in front and pixels on each side, and which rows of the
/// result are wanted.
struct Frame {
  int64_t front, side, first, rows;
};

/// Writes some rows of a clip with its edges, each as `write` makes it of the clip's own.
template <typename T, typename Write>
void placeRows(const Clip &clip, const Frame &frame, T *out, Write write) {
  int64_t size = clip.channels, width = (clip.width + 2 * frame.side) * size;
  int64_t area = frame.rows * width;
  inParallel(clip.frames * frame.rows, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      int64_t f = i / frame.rows, y = i % frame.rows;
      int64_t source = std::clamp<int64_t>(frame.first + y - frame.side, 0, clip.height - 1);
      T *row = out + (f + frame.front) * area + y * width;
      T *inner = row + frame.side * size, *last = inner + (clip.width - 1) * size;
      write(f, source, inner);
      for (int64_t side = 0; side < frame.side; ++side) {
        std::memcpy(row + side * size, inner, size * sizeof(T));
        std::memcpy(last + (side + 1) * size, last, size * sizeof(T));
      }
      if (f > 0) continue;
      for (int64_t copy = 1; copy <= frame.front; ++copy) {
        std::memcpy(row - copy * area, row, width * sizeof(T));
      }
    }
  });
}

template <typename T>
at::Tensor framed(
    const Table<T> &kernels, const at::Tensor &input, const at::Tensor *scales, Frame frame) {
  at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  Clip clip(x);
  at::Tensor result = at::empty(
      {clip.samples, clip.channels, clip.frames + frame.front, frame.rows,
       clip.width + 2 * frame.side},
      x.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  int64_t row = clip.width * clip.channels;
  for (int64_t sample = 0; sample < clip.samples; ++sample) {
    const T *from = data<T>(x) + sample * clip.elements();
    const float *factors = scales ? data<float>(*scales) + sample * 2 * clip.channels : nullptr;
    placeRows(
        clip, frame, data<T>(result) + sample * Clip(result).elements(),
        [&](int64_t f, int64_t y, T *place) {
          const T *source = from + (f * clip.height + y) * row;
          if (!factors) {
            std::memcpy(place, source, row * sizeof(T));
            return;
          }
          kernels.scaleShift(
              source, factors, factors + clip.channels, clip.width, clip.channels, place);
        });
  }
  return result;
}

/// `(B, 2, C)` in float32: what each channel of a sample is multiplied by, and what is added.
template <typename T>
at::Tensor scalesOf(const Table<T> &kernels, const at::Tensor &input, const GroupNorm &norm) {
  at::Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  Clip clip(x);
  at::Tensor result = at::empty({clip.samples, 2, clip.channels}, x.options().dtype(at::kFloat));
  for (int64_t sample = 0; sample < clip.samples; ++sample) {
    const T *from = data<T>(x) + sample * clip.elements();
    ChannelScales scales = channelScales(kernels, from, clip, norm);
    float *to = data<float>(result) + sample * 2 * clip.channels;
    std::copy(scales.factors.begin(), scales.factors.end(), to);
    std::copy(scales.shifts.begin(), scales.shifts.end(), to + clip.channels);
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

int32_t ct_kernels_channel_scales(
    ct_tensor input, int64_t groups, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input);
    *out = nullptr;
    GroupNorm norm{
        groups, ref(weight).to(at::kFloat).contiguous(), ref(bias).to(at::kFloat).contiguous(), eps};
    if (x.dim() != 5 || x.numel() == 0 || x.size(1) % groups != 0 ||
        norm.weight.numel() != x.size(1) || norm.bias.numel() != x.size(1)) {
      return CT_OK;
    }
    if (cuda::serves(x)) {
      *out = giveIfThere(cuda::channelScales(x, groups, norm.weight, norm.bias, eps));
      return CT_OK;
    }
    if (x.size(1) % 16 != 0) return CT_OK;
    withKernels(x, out, [&](const auto &kernels) { return scalesOf(kernels, x, norm); });
  })
}

int32_t ct_kernels_frame(
    ct_tensor input, ct_tensor scales, int64_t front, int64_t side, int64_t first, int64_t rows,
    ct_tensor *out) {
  CT_TRY({
    const at::Tensor &x = ref(input);
    *out = nullptr;
    if (x.dim() != 5 || x.numel() == 0) return CT_OK;
    TORCH_CHECK(
        first >= 0 && rows > 0 && first + rows <= x.size(3) + 2 * side, "there are no rows ", first,
        " to ", first + rows, " in a clip of ", x.size(3), " rows with ", side, " on each side");
    const at::Tensor *factors = scales ? &ref(scales) : nullptr;
    if (cuda::serves(x)) {
      *out = giveIfThere(
          cuda::framed(x, factors ? *factors : at::Tensor(), front, side, first, rows));
      return CT_OK;
    }
    withKernels(x, out, [&](const auto &kernels) {
      return framed(kernels, x, factors, Frame{front, side, first, rows});
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
