#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cmath>

#define CT_WIDTH 16
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
namespace ct::kernels::avx512 {
// A copy of everything for these instructions alone: linkers merge what has the same name.
namespace {
#include "vectors.h"
#include "softmax.h"
#include "attention.h"
#include "normalization.h"
#include "activations.h"
#include "channels.h"
#include "quantized.h"
} // namespace

const Table<float> floats{
    FloatAttention<float>::table, normModulate<float>, normRotate<float>, channelSums<float>, scaleShift<float>,
    decodeRow<float>, toBytes<float>, finish<float>};
const Table<bf16> halves{
    FloatAttention<bf16>::table, normModulate<bf16>, normRotate<bf16>, channelSums<bf16>, scaleShift<bf16>,
    decodeRow<bf16>, toBytes<bf16>, finish<bf16>};
} // namespace ct::kernels::avx512
#pragma clang attribute pop
#endif
