#include "text.h"

#include <cstdint>
#include <cstdio>

namespace ct::cuda {

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc23-extensions"
const char text[] = {
#embed "arguments.h"
    ,
#embed "numbers.cu"
    ,
#embed "tokens.cu"
    ,
#embed "frame.cu"
    ,
#embed "products.cu"
    , 0};
#pragma clang diagnostic pop

std::string fingerprint(const std::string &added) {
  // FNV-1a.
  uint64_t hash = 0xcbf29ce484222325;
  auto take = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char *c = text; *c; ++c) take(*c);
  for (char c : added) take(c);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

} // namespace ct::cuda
