// Kernels of our own for GPUs: their text is compiled when the program runs, for the GPU that is there.
//
// Each function gives out an undefined tensor where no kernel fits, or none can be had: the caller
// then goes the plain way. Inputs are whole in the sense of the C functions that call these.
#pragma once
#include <ATen/core/Tensor.h>

namespace ct::cuda {

/// Whether there are kernels for tensors that lie where `t` does.
bool serves(const at::Tensor &t);

/// Whether a tensor lies on a GPU, or in what stands for one.
bool isOnGPU(const at::Tensor &t);

/// Layer norm of `(B, L, C)`, times `factor` plus `shift`, both `(B or 1, 1, C)`.
at::Tensor normModulate(
    const at::Tensor &x, const at::Tensor &factor, const at::Tensor &shift, double eps);

/// Root mean square 1 of `(B, N, H, D)` times `weight`, pairs of the first tokens turned by `phases`,
/// `(B or 1, L, 1, D/2, 2)`, or none where it is undefined.
at::Tensor normRotate(
    const at::Tensor &x, const at::Tensor &weight, const at::Tensor &phases, double eps);

/// `x + branch · gate` of `(B, L, C)`, the gate `(B or 1, 1, C)`.
at::Tensor addProduct(const at::Tensor &x, const at::Tensor &branch, const at::Tensor &gate);

/// What a group norm of `(B, C, F, h, w)` multiplies each channel by, and adds: `(B, 2, C)`.
at::Tensor channelScales(
    const at::Tensor &x, int64_t groups, const at::Tensor &weight, const at::Tensor &bias,
    double eps);

/// `(B, C, F, h, w)` with SiLU after `scales` where they are defined, and edges replicated.
at::Tensor framed(
    const at::Tensor &x, const at::Tensor &scales, int64_t front, int64_t side, int64_t first,
    int64_t rows);

/// `x · (codes · scales)ᵀ + bias` of `(…, C)` and int8 codes `(out, C)`, a scale for each row of them; each
/// row of `x` is rounded to eight bits. Then nothing (0), SiLU (1) or GELU in its form with a tangent (2).
at::Tensor linearBytes(
    const at::Tensor &x, const at::Tensor &codes, const at::Tensor &scales, const at::Tensor &bias,
    int32_t bend);

/// The same for fp8 codes and one scale or one for each row, each row of `x` rounded to fp8, by
/// libtorch's product; in bfloat16, and from compute capability 8.9 on.
at::Tensor linearFP8(
    const at::Tensor &x, const at::Tensor &codes, const at::Tensor &scales, const at::Tensor &bias);

/// GELU of `x · weightᵀ + bias` by one operation of libtorch: in its form with a tangent on GPUs, and in
/// the exact one on the CPU.
at::Tensor linearGELU(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias);

} // namespace ct::cuda
