// NVRTC, NVIDIA's compiler as a library, and a folder for what it made.
#pragma once
#include <string>

namespace ct::cuda {

/// Throws a sentence where there is no NVRTC.
void checkCompiler();

/// The kernels for a GPU of some compute capability, 90 for 9.0: machine code, or PTX where the
/// compiler does not know that GPU yet.
///
/// What was compiled before is taken from `folder`; empty for none. Throws a sentence where there is no
/// NVRTC, or where it refuses.
std::string compiled(int capability, const std::string &folder);

/// `framepack/cuda` in the user's cache: `XDG_CACHE_HOME`, or `.cache` in the home folder.
std::string cacheFolder();

} // namespace ct::cuda
