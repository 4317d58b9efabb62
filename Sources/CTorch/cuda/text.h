// The kernels' own text, as NVRTC compiles it.
#pragma once
#include <string>

namespace ct::cuda {

/// All of it, ended by a zero.
extern const char text[];

/// Sixteen digits that change with the text of the kernels, and with what is added to it.
std::string fingerprint(const std::string &added);

} // namespace ct::cuda
