// Kernels around products of eight bits: rounding the rows of activations, and finishing the sums.

namespace ct::cuda::device {

/// The number of type e4m3 that is nearest, ties to even; beyond the largest, 448, that one.
__device__ inline unsigned char fp8OfFloat(float x) {
  unsigned bits = __float_as_uint(x), sign = bits >> 24 & 0x80;
  float size = fabsf(x);
  if (!(size < 464)) return (unsigned char)(sign | 0x7e);
  // Below 2^-6 all lie 2^-9 apart.
  if (size < 0.015625f) return (unsigned char)(sign | unsigned(rintf(size * 512)));
  bits = (bits & 0x7fffffff) + 0x7ffff + (bits >> 20 & 1);
  return (unsigned char)(sign | ((bits >> 23) - 120) << 3 | (bits >> 20 & 7));
}

__device__ inline unsigned char byteOfFloat(float x) {
  return (unsigned char)(signed char)rintf(x);
}

/// Bytes that are written at once.
template <int width> struct alignas(width) Bytes {
  unsigned char values[width];
};

/// A block for each row: its largest magnitude becomes the largest code.
///
/// A row with numbers that are not finite has such a scale, and zeros as codes.
template <typename T, int width> __device__ void roundRows(const RoundRows &a) {
  const T *x = moved<T>(a.x, blockIdx.x * a.size);
  unsigned char *codes = a.codes + blockIdx.x * a.size;
  int count = int(a.size / width);
  float values[heldPacks][width], largest = 0;
#pragma unroll
  for (int i = 0; i < heldPacks; ++i) {
    int place = threadIdx.x + i * blockDim.x;
    if (place >= count) continue;
    Pack<T, width> pack = load<T, width>(x, place);
    for (int j = 0; j < width; ++j) {
      values[i][j] = pack[j];
      largest = Largest()(largest, fabsf(pack[j]));
    }
  }
  float scale = blockLargest(largest) / (a.isFP8 ? 448.0f : 127.0f);
  bool isUsable = scale > 0 && scale <= 3e38f;
  if (threadIdx.x == 0) a.scales[blockIdx.x] = scale;
#pragma unroll
  for (int i = 0; i < heldPacks; ++i) {
    int place = threadIdx.x + i * blockDim.x;
    if (place >= count) continue;
    Bytes<width> bytes;
    for (int j = 0; j < width; ++j) {
      float x = isUsable ? values[i][j] / scale : 0;
      bytes.values[j] = a.isFP8 ? fp8OfFloat(x) : byteOfFloat(x);
    }
    reinterpret_cast<Bytes<width> *>(codes)[place] = bytes;
  }
}

__device__ inline float bent(float x, int bend) {
  if (bend == 1) return x / (1 + expf(-x));
  if (bend == 2) return 0.5f * x * (1 + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
  return x;
}

/// A block for some columns of a row.
template <typename T, int width> __device__ void finishSums(const FinishSums &a) {
  long long row = blockIdx.x;
  int place = blockIdx.y * blockDim.x + threadIdx.x;
  if (place >= a.size / width) return;
  float scale = a.rowScales[row];
  const int *sums = a.sums + row * a.size + place * width;
  const float *columnScales = a.columnScales + place * width;
  Pack<T, width> bias{}, y;
  if (a.bias) bias = load<T, width>(a.bias, place);
  for (int j = 0; j < width; ++j) {
    y.set(j, bent(float(sums[j]) * columnScales[j] * scale + bias[j], a.bend));
  }
  store(static_cast<T *>(a.out) + row * a.size, place, y);
}

CT_KERNELS(round_rows, RoundRows, roundRows)
CT_KERNELS(finish_sums, FinishSums, finishSums)

} // namespace ct::cuda::device
