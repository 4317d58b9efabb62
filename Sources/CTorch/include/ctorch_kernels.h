// Kernels of our own for CPUs and GPUs, and oneDNN's products with packed weights.
//
// A function that has no kernel for its input, for this processor or this GPU, gives out null and CT_OK:
// the caller then goes the plain way.
#pragma once
#include "ctorch_core.h"

CT_BEGIN

/// The instructions that the kernels use: "none", "AVX2", "AVX512" or "AVX512-BF16".
/// ATEN_CPU_CAPABILITY lowers them, as it does libtorch's.
const char *ct_kernels_name(void);
/// The level of these instructions, 0 to 3 in that order.
int32_t ct_kernels_level(void);
/// Takes no instructions above a level on this thread; tests compare levels so.
void ct_kernels_limit(int32_t level);

/// softmax(scale · q kᵀ) v of `(B, N, H, D)`, keys and values `(B, M, H, D)`.
int32_t ct_kernels_attention(ct_tensor q, ct_tensor k, ct_tensor v, double scale, ct_tensor *out);

/// Layer norm of `(B, L, C)`, times `factor` plus `shift`, both `(B or 1, 1, C)`.
int32_t ct_kernels_norm_modulate(
    ct_tensor x, ct_tensor factor, ct_tensor shift, double eps, ct_tensor *out);

/// Root mean square 1 of `(B, N, H, D)` over D times `weight`, pairs of the first L tokens turned by
/// `phases`, `(B or 1, L, 1, D/2, 2)`, or none where it is null.
int32_t ct_kernels_norm_rotate(
    ct_tensor x, ct_tensor weight, ct_tensor phases, double eps, ct_tensor *out);

/// `x + branch · gate` of `(B, L, C)`, the gate `(B or 1, 1, C)`; on GPUs alone.
int32_t ct_kernels_add_product(ct_tensor x, ct_tensor branch, ct_tensor gate, ct_tensor *out);

/// What a group norm of `(B, C, F, h, w)` multiplies each channel by, and what it adds: `(B, 2, C)` in
/// float32.
int32_t ct_kernels_channel_scales(
    ct_tensor x, int64_t groups, ct_tensor weight, ct_tensor bias, double eps, ct_tensor *out);

/// What a causal convolution takes in: `(B, C, F, h, w)` scaled and shifted by `scales` unless that is
/// null, with SiLU after it, then `front` frames in front and `side` pixels on each side replicated; of
/// the rows that there are then, `rows` from the one numbered `first`. Its channels lie side by side.
int32_t ct_kernels_frame(
    ct_tensor x, ct_tensor scales, int64_t front, int64_t side, int64_t first, int64_t rows,
    ct_tensor *out);

/// A convolution's weights in the order in which oneDNN reads them for inputs like `x`, whose channels
/// lie side by side.
int32_t ct_kernels_pack_convolution(
    ct_tensor x, ct_tensor weight, const int64_t *stride, int64_t axes, ct_tensor *out);

/// Convolution of `(B, C, …)` with `axes` further axes by oneDNN, `added` being added to it; weights
/// may be packed, `bias` and `added` may be null.
int32_t ct_kernels_convolution(
    ct_tensor x, ct_tensor weight, ct_tensor bias, ct_tensor added, const int64_t *stride,
    const int64_t *padding, int64_t axes, ct_tensor *out);

/// `x · weightᵀ + bias` of `(…, C)` by oneDNN, then "none", "gelu" in its form "none" or "tanh", or
/// "swish"; `bias` may be null. On a GPU "gelu" in its form "tanh" alone, where cuBLAS joins it.
int32_t ct_kernels_linear(
    ct_tensor x, ct_tensor weight, ct_tensor bias, const char *activation, const char *form,
    ct_tensor *out);

/// How a linear layer's weight is stored in few bits.
enum {
  CT_QUANTIZED_FP8 = 0,
  CT_QUANTIZED_INT8 = 1,
  CT_QUANTIZED_INT4 = 2,
  CT_QUANTIZED_Q8_0 = 3,
  CT_QUANTIZED_Q4_K = 4,
  CT_QUANTIZED_Q6_K = 5,
};

/// A stored weight, rows of bytes, as `(rows, columns)` in float32, or in bfloat16 if `half`; `scales`,
/// `(rows or 1, groups)` in float32 or bfloat16, may be null.
int32_t ct_kernels_decode(
    ct_tensor codes, ct_tensor scales, int32_t format, int64_t columns, int64_t group, int32_t half,
    ct_tensor *out);

/// Whether the processor multiplies bytes, and sums them up in 32 bits.
int32_t ct_kernels_multiply_bytes(void);

/// Signed bytes `(out, C)` in the order in which oneDNN multiplies them.
int32_t ct_kernels_pack_bytes(ct_tensor codes, ct_tensor *out);

/// `x · (codes · scales)ᵀ + bias` of `(…, C)`, each row of `x` rounded to eight bits, then nothing (0),
/// SiLU (1) or GELU in its form with a tangent (2). `codes` are packed, and on a GPU as they are, `scales`
/// has a number for each row of them, `bias` may be null.
int32_t ct_kernels_linear_bytes(
    ct_tensor x, ct_tensor codes, ct_tensor scales, ct_tensor bias, int32_t activation,
    ct_tensor *out);

/// `x · (codes · scales)ᵀ + bias` of `(…, C)` in bfloat16 and fp8 codes `(out, C)`, each row of `x` rounded
/// to fp8; `scales` has one number or one for each row of the codes, `bias` may be null. On GPUs alone.
int32_t ct_kernels_linear_fp8(
    ct_tensor x, ct_tensor codes, ct_tensor scales, ct_tensor bias, ct_tensor *out);

/// The compute capability of a GPU, 90 for 9.0, and why there are no kernels for it, an empty text if
/// there are some; compiles and loads them at the first call.
int32_t ct_cuda_kernels_state(int32_t index, int32_t *capability, char *text, int64_t size);
/// Fails where there is no NVRTC; the error tells where it is looked for.
int32_t ct_cuda_compiler(void);
/// The kernels for a compute capability as one tensor of bytes; what was compiled before is taken from
/// `folder`, and what is compiled kept there, unless that is null.
int32_t ct_cuda_kernels_compile(int32_t capability, const char *folder, ct_tensor *out);
/// Runs a kernel, whose arguments are one structure; tests put it in the place of a GPU.
typedef int32_t (*ct_cuda_launcher)(
    const char *kernel, uint32_t x, uint32_t y, uint32_t threads, const void *arguments);
/// Takes, on this thread, the kernels for GPUs for tensors of the CPU, and runs them so; null ends it.
void ct_cuda_emulate(ct_cuda_launcher launcher);

/// softmax(scale · q kᵀ) v of `(B, H, N, D)` by libtorch, which asks first whether the way with a number
/// of its `SDPBackend` can be taken; `taken` tells which one was.
int32_t ct_attention_by(
    ct_tensor q, ct_tensor k, ct_tensor v, const double *scale, int32_t first, int32_t *taken,
    ct_tensor *out);
/// The five numbers of libtorch's ways, in the order in which it asks.
void ct_attention_order(int64_t *out);

/// Keeps up to so many bytes of freed memory for what is allocated next, instead of giving each page
/// back to the system; where the allocator is not glibc's, nothing happens.
void ct_keep_freed_memory(int64_t bytes);
/// Gives freed memory that was kept back to the system.
void ct_release_freed_memory(void);

CT_END
