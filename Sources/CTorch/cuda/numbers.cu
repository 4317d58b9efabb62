// Number types as they are stored, vectors of them, and sums over the threads of a block.
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

/// The sum over a warp, in each of its threads.
template <typename Number> __device__ inline Number warpSum(Number x) {
  for (int lanes = 16; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffffu, x, lanes);
  return x;
}

/// The sum over a block of whole warps, in each of its threads.
template <typename Number> __device__ inline Number blockSum(Number x) {
  __shared__ Number sums[32];
  unsigned lane = threadIdx.x % 32, warps = blockDim.x / 32;
  x = warpSum(x);
  // Those of the sum before have been read.
  __syncthreads();
  if (lane == 0) sums[threadIdx.x / 32] = x;
  __syncthreads();
  return warpSum(lane < warps ? sums[lane] : Number(0));
}

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
