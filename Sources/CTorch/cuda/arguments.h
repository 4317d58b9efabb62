// What each kernel is called with: one structure, by value.
//
// The launchers include this text and NVRTC compiles it, so that both mean the same bytes. Sizes are
// counted in elements of the tensors' type.
#ifndef CT_CUDA_ARGUMENTS
#define CT_CUDA_ARGUMENTS

namespace ct::cuda {

/// Layer norm of rows of `size` channels, `length` rows a sample, · factor + shift.
struct NormModulate {
  const void *x, *factor, *shift;
  void *out;
  /// 0 where all samples have the same factor.
  long long factorStride, shiftStride;
  long long length, size;
  float eps;
};

/// Root mean square 1 of each head · weight, the first `turned` tokens turned by `phases`.
struct NormRotate {
  const void *x, *weight;
  /// Cosine and sine of each pair, `size` numbers a token; not read where `turned` is 0.
  const float *phases;
  void *out;
  long long sampleStride, tokenStride, headStride, phaseStride;
  long long length, turned, heads, size;
  float eps;
};

/// x + branch · gate of `count` elements a sample, a gate for each of `size` channels.
struct AddProduct {
  const void *x, *branch, *gate;
  void *out;
  /// 0 where all samples have the same gate.
  long long gateStride;
  long long count, size;
};

/// Sums over blocks of positions of each of `size` channels, less its first value, and of squares.
struct ChannelSums {
  const void *x;
  /// `(samples, blocks, 2, size)`.
  float *sums;
  long long positions, positionsPerBlock, size;
};

/// What a group norm multiplies each channel by, and what it adds, from the sums over blocks.
struct ChannelScales {
  const void *x;
  const float *sums, *weight, *bias;
  /// `(samples, 2, size)`.
  float *scales;
  long long positions, blocks, size, groupSize;
  double eps;
};

/// Rows of a clip with its edges replicated; scaled, shifted and bent before where there are scales.
struct Frame {
  const void *x;
  /// `(samples, 2, size)`, or null.
  const float *scales;
  void *out;
  long long size, frames, height, width;
  /// Frames in front, pixels on each side, the first row of the result that is wanted, and how many.
  long long front, side, first, rows;
};

/// Each row of `size` numbers as codes of eight bits, and a scale for it.
struct RoundRows {
  const void *x;
  unsigned char *codes;
  float *scales;
  long long size;
  /// e4m3 instead of whole numbers.
  bool isFP8;
};

/// Rows of sums · the row's scale · the column's + bias, then what bends: 0 nothing, 1 SiLU, 2 GELU in
/// its form with a tangent.
struct FinishSums {
  const int *sums;
  const float *rowScales, *columnScales;
  /// Of the result's type, or null.
  const void *bias;
  void *out;
  long long size;
  int bend;
};

} // namespace ct::cuda

#endif
