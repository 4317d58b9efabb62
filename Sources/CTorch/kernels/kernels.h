// Kernels of our own for CPUs, where libtorch's leave most of a core unused.
//
// A table of functions for each kind of processor, chosen when the program runs. They compute rows
// and take plain pointers; what tensors they belong to, threads and switches are in tokens.cpp,
// convolution.cpp, linear.cpp and dispatch.cpp.
#pragma once
#include <cstdint>

namespace ct::kernels {

/// A half-precision number of type bfloat16.
using bf16 = uint16_t;

/// Attention of one head for some rows of its queries.
///
/// Keys and values are packed once for a head, into two buffers of `packedBytes`.
template <typename T> struct AttentionKernels {
  /// Rows of queries that a call takes best.
  int64_t rows;
  /// Bytes of the packed keys, and of the packed values, of `count` tokens with `size` channels.
  int64_t (*packedBytes)(int64_t count, int64_t size);
  /// Packs `count` tokens of `size` channels; `stride` elements lie between two tokens.
  void (*packKeys)(const T *keys, int64_t stride, int64_t count, int64_t size, void *packed);
  void (*packValues)(const T *values, int64_t stride, int64_t count, int64_t size, void *packed);
  /// softmax(scale · q kᵀ) v for `rows` queries.
  void (*attend)(
      const T *queries, int64_t queryStride, int64_t rows, const void *keys, const void *values,
      int64_t count, int64_t size, float scale, T *out, int64_t outStride);
};

/// How the weights of a linear layer are stored in few bits.
enum class QuantizedFormat { fp8, int8, int4, q8_0, q4_k, q6_k };

/// A weight, `(rows, columns)`, in few bits.
struct QuantizedRows {
  QuantizedFormat format;
  const uint8_t *bytes;
  int64_t rowBytes, columns;
  /// A scale for each group of a row, in bfloat16 or float32; null for none.
  const void *scales;
  bool halfScales;
  /// Scales of a row, or 0 where all rows have the same.
  int64_t scaleStride, group;
  /// The 256 numbers of fp8.
  const float *table;
};

/// What bends after a product.
enum class Bend { none, silu, gelu };

/// What one kind of processor computes for activations of type `T`.
template <typename T> struct Table {
  AttentionKernels<T> attention;
  /// Mean 0 and variance 1 over `size` channels, then · factor + shift.
  void (*normModulate)(
      const T *x, const T *factor, const T *shift, int64_t size, float eps, T *out);
  /// Root mean square 1 over each head's `size` channels, then · weight, then each pair of
  /// neighbours turned by (cosine, sine) of `phases`; null for heads that are not turned.
  void (*normRotate)(
      const T *x, const T *weight, const float *phases, int64_t heads, int64_t headStride,
      int64_t size, float eps, T *out);
  /// Sums over `count` positions of `size` channels, each channel less its `center`, and of squares.
  void (*channelSums)(
      const T *x, const float *center, int64_t count, int64_t size, float *sums, float *squares);
  /// x · factor + shift of each channel, then SiLU.
  void (*scaleShift)(
      const T *x, const float *factor, const float *shift, int64_t count, int64_t size, T *out);
  /// One row of a stored weight.
  void (*decodeRow)(const QuantizedRows &from, int64_t row, T *out);
  /// 128 + x / scale in eight bits, the largest being 127 from the middle; gives the scale out.
  float (*toBytes)(const T *x, int64_t size, uint8_t *out);
  /// x · factor + bias, then what bends; `bias` may be null.
  void (*finish)(
      const float *x, float factor, const float *bias, int64_t size, Bend bend, T *out);
};

/// Channels of a head are multiples of this, and at most `largestHead`.
constexpr int64_t headMultiple = 32;
constexpr int64_t largestHead = 256;

#if defined(__x86_64__)
namespace avx2 {
extern const Table<float> floats;
extern const Table<bf16> halves;
} // namespace avx2
namespace avx512 {
extern const Table<float> floats;
extern const Table<bf16> halves;
} // namespace avx512
namespace avx512bf16 {
extern const Table<bf16> halves;
} // namespace avx512bf16
#endif

} // namespace ct::kernels
