// Kernels for clips whose channels lie side by side: group norm with SiLU, and replicated edges.

namespace ct::cuda::device {

/// The most threads of a block that sums up.
constexpr int summingThreads = 256;

/// A block for some positions; each thread has some channels of every so many-th position.
///
/// Each channel is taken less its first value, so that a mean far from zero costs no digits.
template <typename T, int width> __device__ void channelSums(const ChannelSums &a) {
  __shared__ float shared[2][summingThreads * width];
  int lanes = int(a.size / width), rows = blockDim.x / lanes;
  int lane = threadIdx.x % lanes, row = threadIdx.x / lanes;
  const T *x = moved<T>(a.x, blockIdx.y * a.positions * a.size);
  Pack<T, width> center = load<T, width>(x, lane);
  long long from = blockIdx.x * a.positionsPerBlock;
  long long to = from + a.positionsPerBlock < a.positions ? from + a.positionsPerBlock : a.positions;

  float sums[width] = {}, squares[width] = {};
  for (long long position = from + row; position < to; position += rows) {
    Pack<T, width> pack = load<T, width>(x, position * lanes + lane);
    for (int j = 0; j < width; ++j) {
      float d = pack[j] - center[j];
      sums[j] += d;
      squares[j] += d * d;
    }
  }
  for (int j = 0; j < width; ++j) {
    shared[0][row * a.size + lane * width + j] = sums[j];
    shared[1][row * a.size + lane * width + j] = squares[j];
  }
  __syncthreads();
  float *out = a.sums + (blockIdx.y * (long long)gridDim.x + blockIdx.x) * 2 * a.size;
  for (int i = threadIdx.x; i < 2 * a.size; i += blockDim.x) {
    const float *column = shared[i / a.size] + i % a.size;
    float sum = 0;
    for (int r = 0; r < rows; ++r) sum += column[r * a.size];
    out[i] = sum;
  }
}

/// The most channels of a group.
constexpr int largestGroup = 128;

/// A block for each group of a sample, in float64.
template <typename T, int width> __device__ void channelScales(const ChannelScales &a) {
  __shared__ double shift[largestGroup], square[largestGroup], center[largestGroup];
  long long sample = blockIdx.y, first = blockIdx.x * a.groupSize;
  const float *sums = a.sums + sample * a.blocks * 2 * a.size + first;
  const T *x = moved<T>(a.x, sample * a.positions * a.size + first);
  for (int c = 0; c < a.groupSize; ++c) {
    double sum = 0, squares = 0;
    for (long long block = threadIdx.x; block < a.blocks; block += blockDim.x) {
      sum += sums[block * 2 * a.size + c];
      squares += sums[(block * 2 + 1) * a.size + c];
    }
    sum = blockSum(sum);
    squares = blockSum(squares);
    if (threadIdx.x > 0) continue;
    center[c] = load<T, 1>(x, c)[0];
    shift[c] = sum / double(a.positions);
    square[c] = squares / double(a.positions);
  }
  __syncthreads();
  double mean = 0, variance = 0;
  for (int c = 0; c < a.groupSize; ++c) mean += center[c] + shift[c];
  mean /= double(a.groupSize);
  for (int c = 0; c < a.groupSize; ++c) {
    double off = center[c] - mean;
    variance += square[c] + 2 * off * shift[c] + off * off;
  }
  variance /= double(a.groupSize);
  double scale = 1 / sqrt((variance > 0 ? variance : 0) + a.eps);
  float *out = a.scales + sample * 2 * a.size + first;
  for (int c = threadIdx.x; c < a.groupSize; c += blockDim.x) {
    double factor = scale * a.weight[first + c];
    out[c] = float(factor);
    out[a.size + c] = float(a.bias[first + c] - mean * factor);
  }
}

__device__ inline long long clamped(long long x, long long last) {
  return x < 0 ? 0 : x > last ? last : x;
}

/// A thread for each pack of the result.
template <typename T, int width> __device__ void frame(const Frame &a) {
  unsigned lanes = unsigned(a.size / width), columns = unsigned(a.width + 2 * a.side);
  unsigned frames = unsigned(a.frames + a.front), rows = unsigned(a.rows);
  unsigned place = blockIdx.x * blockDim.x + threadIdx.x;
  unsigned lane = place % lanes, position = place / lanes;
  unsigned column = position % columns, row = position / columns % rows;
  unsigned time = position / columns / rows;
  if (time >= frames) return;
  long long sourceTime = clamped((long long)time - a.front, a.frames - 1);
  long long sourceRow = clamped(a.first + row - a.side, a.height - 1);
  long long sourceColumn = clamped((long long)column - a.side, a.width - 1);
  long long source =
      ((blockIdx.y * a.frames + sourceTime) * a.height + sourceRow) * a.width + sourceColumn;
  Pack<T, width> pack = load<T, width>(a.x, source * lanes + lane);
  if (a.scales) {
    const float *factor = a.scales + blockIdx.y * 2 * a.size + lane * width;
    for (int j = 0; j < width; ++j) {
      float y = pack[j] * factor[j] + factor[a.size + j];
      pack.set(j, y / (1 + expf(-y)));
    }
  }
  long long count = (long long)frames * rows * columns * lanes;
  store(a.out, blockIdx.y * count + place, pack);
}

CT_KERNELS(channel_sums, ChannelSums, channelSums)
CT_KERNEL(channel_scales, ChannelScales, channelScales, f32, 1)
CT_KERNEL(channel_scales, ChannelScales, channelScales, bf16, 1)
CT_KERNEL(channel_scales, ChannelScales, channelScales, f16, 1)
CT_KERNELS(frame, Frame, frame)

} // namespace ct::cuda::device
