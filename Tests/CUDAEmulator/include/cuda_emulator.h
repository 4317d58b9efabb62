// The kernels for GPUs, compiled for the CPU: tests hold their numbers against libtorch's.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Runs a kernel, block after block; its threads take turns at barriers and shuffles.
///
/// Returns 0, or 1 where no kernel has that name, or where threads wait for others that have ended.
int32_t cuda_emulator_launch(
    const char *kernel, uint32_t x, uint32_t y, uint32_t threads, const void *arguments);

/// How often kernels whose names begin so ran on this thread.
uint64_t cuda_emulator_launches(const char *kernel);

#ifdef __cplusplus
}
#endif
