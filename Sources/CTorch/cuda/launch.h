// Starting kernels on the GPU of a tensor, or in what tests put in a GPU's place.
#pragma once
#include <c10/core/Device.h>

#include <cstdint>
#include <string>

namespace ct::cuda {

/// How many blocks a kernel has, and threads of a block.
struct Grid {
  uint32_t x, y, threads;
};

/// Whether kernels can be had for a device; compiles and loads them at the first question.
bool isReady(c10::Device device);

/// The compute capability of a device for which kernels can be had, 90 for 9.0.
int capability(c10::Device device);

/// Whether a device is a GPU, or stands for one.
bool isGPU(c10::Device device);

/// Queues a kernel on the device's current stream. False if that fails: no other is started there.
bool launch(c10::Device device, const std::string &kernel, Grid grid, const void *arguments);

} // namespace ct::cuda
