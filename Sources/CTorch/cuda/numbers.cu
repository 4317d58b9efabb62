// Number types as they are stored, vectors of them, and what the threads of a block join.
//
// Arithmetic is done in float32; what is stored is rounded once, to the nearest, ties to even.

namespace ct::cuda::device {

using f32 = float;
struct bf16 {
  unsigned short bits;
};
struct f16 {
  unsigned short bits;
};

#ifdef __CUDACC_RTC__
__device__ inline float floatOfHalf(unsigned short bits) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
}

__device__ inline unsigned short halfOfFloat(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}
#endif

__device__ inline float widened(f32 x) { return x; }
__device__ inline float widened(bf16 x) { return __uint_as_float(unsigned(x.bits) << 16); }
__device__ inline float widened(f16 x) { return floatOfHalf(x.bits); }

__device__ inline void round(float x, f32 &out) { out = x; }
__device__ inline void round(float x, f16 &out) { out.bits = halfOfFloat(x); }
__device__ inline void round(float x, bf16 &out) {
  unsigned bits = __float_as_uint(x);
  // A NaN with few bits would turn into an infinity.
  out.bits = x != x ? 0x7fc0 : (unsigned short)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// Some neighbours, read and written at once.
template <typename T, int width> struct alignas(sizeof(T) * width) Pack {
  T values[width];

  __device__ float operator[](int i) const { return widened(values[i]); }
  __device__ void set(int i, float x) { round(x, values[i]); }
};

/// The pack with the number `index` of an array.
template <typename T, int width>
__device__ inline Pack<T, width> load(const void *array, long long index) {
  return static_cast<const Pack<T, width> *>(array)[index];
}

template <typename T, int width>
__device__ inline void store(void *array, long long index, const Pack<T, width> &pack) {
  static_cast<Pack<T, width> *>(array)[index] = pack;
}

/// An element further on.
template <typename T> __device__ inline const T *moved(const void *array, long long by) {
  return static_cast<const T *>(array) + by;
}

/// Sums of numbers.
struct Sum {
  template <typename Number> __device__ Number operator()(Number a, Number b) const { return a + b; }
};

/// The largest of magnitudes; a NaN stays one.
struct Largest {
  __device__ float operator()(float a, float b) const { return a > b || a != a ? a : b; }
};

/// What a warp's numbers make together, in each of its threads.
template <typename Join, typename Number> __device__ inline Number joinWarp(Number x) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    x = Join()(x, __shfl_xor_sync(0xffffffffu, x, lanes));
  }
  return x;
}

/// What the numbers of a block of whole warps make together, in each of its threads; 0 adds nothing.
template <typename Join, typename Number> __device__ inline Number joinBlock(Number x) {
  __shared__ Number parts[32];
  unsigned lane = threadIdx.x % 32, warps = blockDim.x / 32;
  x = joinWarp<Join>(x);
  // Those of the call before have been read.
  __syncthreads();
  if (lane == 0) parts[threadIdx.x / 32] = x;
  __syncthreads();
  return joinWarp<Join>(lane < warps ? parts[lane] : Number(0));
}

template <typename Number> __device__ inline Number warpSum(Number x) { return joinWarp<Sum>(x); }
template <typename Number> __device__ inline Number blockSum(Number x) { return joinBlock<Sum>(x); }
__device__ inline float blockLargest(float x) { return joinBlock<Largest>(x); }

/// Packs of a row that a thread holds where it reads the row once.
constexpr int heldPacks = 4;

} // namespace ct::cuda::device

/// The most threads that a block of any kernel has.
#define CT_THREADS 512

// A kernel for each type and for two widths of packs: 16 bytes, and one element. Whoever compiles this
// text for something else than a GPU says what a kernel is there.
#ifndef CT_KERNEL
#define CT_KERNEL(name, Arguments, body, type, width)                                              \
  extern "C" __global__ void __launch_bounds__(CT_THREADS) name##_##type##_##width(Arguments a) {  \
    body<type, width>(a);                                                                          \
  }
#endif

#define CT_KERNELS(name, Arguments, body)                                                          \
  CT_KERNEL(name, Arguments, body, f32, 4)                                                         \
  CT_KERNEL(name, Arguments, body, f32, 1)                                                         \
  CT_KERNEL(name, Arguments, body, bf16, 8)                                                        \
  CT_KERNEL(name, Arguments, body, bf16, 1)                                                        \
  CT_KERNEL(name, Arguments, body, f16, 8)                                                         \
  CT_KERNEL(name, Arguments, body, f16, 1)
