// The words of CUDA's language that the kernels use, for a compiler that does not know them.
#pragma once
#include "block.h"

#include <cmath>

#define __device__
#define __shared__ static thread_local

inline thread_local emulator::Index threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads() { emulator::Block::current().all.wait(); }

/// The value of the thread in the warp whose number differs in these bits.
template <typename T> T __shfl_xor_sync(unsigned, T value, int lanes) {
  static_assert(sizeof(T) <= 8);
  emulator::Warp &warp = emulator::Block::current().warps[threadIdx.x / 32];
  unsigned lane = threadIdx.x % 32;
  std::memcpy(warp.values[lane], &value, sizeof value);
  warp.barrier.wait();
  T other;
  std::memcpy(&other, warp.values[lane ^ unsigned(lanes)], sizeof other);
  warp.barrier.wait();
  return other;
}

inline float __uint_as_float(unsigned bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

inline unsigned __float_as_uint(float x) {
  unsigned bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

namespace ct::cuda::device {

inline float floatOfHalf(unsigned short bits) {
  _Float16 x;
  std::memcpy(&x, &bits, sizeof x);
  return static_cast<float>(x);
}

inline unsigned short halfOfFloat(float x) {
  _Float16 half = static_cast<_Float16>(x);
  unsigned short bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

} // namespace ct::cuda::device
