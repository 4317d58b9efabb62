// Kernels for tokens: norms with what follows them, and gated residuals.

namespace ct::cuda::device {

/// A block for each row, which stays in registers between its three passes.
template <typename T, int width> __device__ void normModulate(const NormModulate &a) {
  long long row = blockIdx.x, sample = row / a.length;
  const T *x = moved<T>(a.x, row * a.size);
  const T *factor = moved<T>(a.factor, sample * a.factorStride);
  const T *shift = moved<T>(a.shift, sample * a.shiftStride);
  T *out = static_cast<T *>(a.out) + row * a.size;
  int count = int(a.size / width);
  float values[heldPacks][width];

  float sum = 0;
#pragma unroll
  for (int i = 0; i < heldPacks; ++i) {
    int place = threadIdx.x + i * blockDim.x;
    if (place >= count) continue;
    Pack<T, width> pack = load<T, width>(x, place);
    for (int j = 0; j < width; ++j) sum += values[i][j] = pack[j];
  }
  float mean = blockSum(sum) / float(a.size);

  float squares = 0;
#pragma unroll
  for (int i = 0; i < heldPacks; ++i) {
    if (int(threadIdx.x + i * blockDim.x) >= count) continue;
    for (int j = 0; j < width; ++j) {
      values[i][j] -= mean;
      squares += values[i][j] * values[i][j];
    }
  }
  float scale = 1 / sqrtf(blockSum(squares) / float(a.size) + a.eps);

#pragma unroll
  for (int i = 0; i < heldPacks; ++i) {
    int place = threadIdx.x + i * blockDim.x;
    if (place >= count) continue;
    Pack<T, width> f = load<T, width>(factor, place), s = load<T, width>(shift, place), y;
    for (int j = 0; j < width; ++j) y.set(j, values[i][j] * scale * f[j] + s[j]);
    store(out, place, y);
  }
}

/// Pairs of a head's channels that a thread holds.
constexpr int heldPairs = 4;

/// A block for each token, of whose heads each warp takes some; weights and phases are read once.
///
/// With packs of one element pairs need not lie at even addresses.
template <typename T, int width> __device__ void normRotate(const NormRotate &a) {
  constexpr int step = width == 1 ? 1 : 2;
  long long sample = blockIdx.x / a.length, token = blockIdx.x % a.length;
  const T *x = moved<T>(a.x, sample * a.sampleStride + token * a.tokenStride);
  T *out = static_cast<T *>(a.out) + (long long)blockIdx.x * a.heads * a.size;
  const float *phases =
      token < a.turned ? a.phases + sample * a.phaseStride + token * a.size : nullptr;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  int count = int(a.size / 2);

  auto pair = [](const void *array, int place, float &first, float &second) {
    if (step == 1) {
      first = load<T, 1>(array, 2 * place)[0];
      second = load<T, 1>(array, 2 * place + 1)[0];
    } else {
      Pack<T, 2> pack = load<T, 2>(array, place);
      first = pack[0];
      second = pack[1];
    }
  };

  float weight[heldPairs][2], cosine[heldPairs], sine[heldPairs];
#pragma unroll
  for (int i = 0; i < heldPairs; ++i) {
    int place = lane + 32 * i;
    cosine[i] = 1;
    sine[i] = 0;
    if (place >= count) continue;
    pair(a.weight, place, weight[i][0], weight[i][1]);
    if (!phases) continue;
    cosine[i] = phases[2 * place];
    sine[i] = phases[2 * place + 1];
  }

  for (int head = warp; head < a.heads; head += warps) {
    const T *from = x + head * a.headStride;
    float values[heldPairs][2], squares = 0;
#pragma unroll
    for (int i = 0; i < heldPairs; ++i) {
      int place = lane + 32 * i;
      if (place >= count) continue;
      pair(from, place, values[i][0], values[i][1]);
      squares += values[i][0] * values[i][0] + values[i][1] * values[i][1];
    }
    float scale = 1 / sqrtf(warpSum(squares) / float(a.size) + a.eps);
#pragma unroll
    for (int i = 0; i < heldPairs; ++i) {
      int place = lane + 32 * i;
      if (place >= count) continue;
      float first = values[i][0] * scale * weight[i][0];
      float second = values[i][1] * scale * weight[i][1];
      // The result is a tensor of its own: its pairs always lie at even addresses.
      Pack<T, 2> y;
      y.set(0, first * cosine[i] - second * sine[i]);
      y.set(1, first * sine[i] + second * cosine[i]);
      store(out + head * a.size, place, y);
    }
  }
}

/// A thread for each pack.
template <typename T, int width> __device__ void addProduct(const AddProduct &a) {
  long long sample = blockIdx.y;
  unsigned place = blockIdx.x * blockDim.x + threadIdx.x;
  if (place >= a.count / width) return;
  const T *gate = moved<T>(a.gate, sample * a.gateStride);
  Pack<T, width> x = load<T, width>(moved<T>(a.x, sample * a.count), place);
  Pack<T, width> branch = load<T, width>(moved<T>(a.branch, sample * a.count), place);
  Pack<T, width> g = load<T, width>(gate, place % unsigned(a.size / width)), y;
  for (int j = 0; j < width; ++j) y.set(j, x[j] + branch[j] * g[j]);
  store(static_cast<T *>(a.out) + sample * a.count, place, y);
}

CT_KERNELS(norm_modulate, NormModulate, normModulate)
CT_KERNELS(norm_rotate, NormRotate, normRotate)
CT_KERNELS(add_product, AddProduct, addProduct)

} // namespace ct::cuda::device
