// Files that are there whole or not at all.
#pragma once
#include <optional>
#include <string>

namespace ct::cuda {

/// What was kept under a name; nothing where it is not there, or not as it was written.
std::optional<std::string> cached(const std::string &folder, const std::string &name);

/// Keeps bytes under a name. Where that is not possible nothing happens: they are made again.
void keep(const std::string &folder, const std::string &name, const std::string &bytes);

} // namespace ct::cuda
