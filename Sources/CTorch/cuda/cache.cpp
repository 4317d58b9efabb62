#include "cache.h"

#include "compiler.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ct::cuda {
namespace {

/// A sum over the bytes, which ends the file: a disk that lost some of them is found out.
std::string checksum(const std::string &bytes) {
  uint64_t a = 1, b = 0;
  for (unsigned char byte : bytes) b += a += byte;
  std::string sum(16, '\0');
  std::memcpy(sum.data(), &a, 8);
  std::memcpy(sum.data() + 8, &b, 8);
  return sum;
}

std::string file(const std::string &folder, const std::string &name) { return folder + "/" + name; }

} // namespace

std::string cacheFolder() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return std::string(cache) + "/framepack/cuda";
  return home && *home ? std::string(home) + "/.cache/framepack/cuda" : "";
}

std::optional<std::string> cached(const std::string &folder, const std::string &name) {
  if (folder.empty()) return std::nullopt;
  std::ifstream stream(file(folder, name), std::ios::binary);
  std::string all((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (all.size() <= 16) return std::nullopt;
  std::string bytes = all.substr(0, all.size() - 16);
  if (all.substr(bytes.size()) != checksum(bytes)) return std::nullopt;
  return bytes;
}

void keep(const std::string &folder, const std::string &name, const std::string &bytes) {
  if (folder.empty()) return;
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  // Several programs may write at once: each has a file of its own until it is whole.
  std::string place = file(folder, name), draft = place + "." + std::to_string(getpid());
  {
    std::ofstream stream(draft, std::ios::binary);
    stream << bytes << checksum(bytes);
    stream.close();
    if (!stream) problem = std::make_error_code(std::errc::io_error);
  }
  if (!problem) std::filesystem::rename(draft, place, problem);
  std::error_code ignored;
  if (problem) std::filesystem::remove(draft, ignored);
}

} // namespace ct::cuda
