// Conversions between the C ABI and c10d.
#pragma once
#include "ctorch_distributed.h"
#include "internal.h"

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace ct {

using Store = c10::intrusive_ptr<c10d::Store>;
using Group = c10::intrusive_ptr<c10d::Backend>;
using Work = c10::intrusive_ptr<c10d::Work>;

inline Store &ref(ct_store s) { return *reinterpret_cast<Store *>(s); }
inline Group &ref(ct_group g) { return *reinterpret_cast<Group *>(g); }
inline Work &ref(ct_work w) { return *reinterpret_cast<Work *>(w); }

inline ct_group giveGroup(Group group) {
  return reinterpret_cast<ct_group>(new Group(std::move(group)));
}

inline ct_work giveWork(Work work) { return reinterpret_cast<ct_work>(new Work(std::move(work))); }

}  // namespace ct
