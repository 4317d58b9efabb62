// Random number generators with a seed and a state of their own.
#include "internal.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <mutex>

using namespace ct;

int32_t ct_generator_new(ct_generator *out, ct_device device, uint64_t seed) {
  CT_TRY(const auto where = ct::device(device);
         at::Generator generator =
             where.is_cpu() ? at::detail::createCPUGenerator(seed)
                            : at::globalContext().defaultGenerator(where).clone();
         generator.set_current_seed(seed);
         *out = reinterpret_cast<ct_generator>(new at::Generator(std::move(generator))))
}

void ct_generator_free(ct_generator g) { delete reinterpret_cast<at::Generator *>(g); }

int32_t ct_generator_state(ct_tensor *out, ct_generator g) {
  CT_TRY(auto &generator = ref(g); std::lock_guard<std::mutex> lock(generator.mutex());
         *out = give(generator.get_state()))
}

int32_t ct_generator_set_state(ct_generator g, ct_tensor state) {
  CT_TRY(auto &generator = ref(g); std::lock_guard<std::mutex> lock(generator.mutex());
         generator.set_state(ref(state)))
}

void ct_manual_seed(uint64_t seed) { at::manual_seed(seed); }
