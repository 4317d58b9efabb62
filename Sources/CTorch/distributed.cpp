// Several processes: the store, groups over Gloo, and what all groups do.
#include "distributed.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

// Gloo is a part of every wheel of libtorch's; the macro is the one that those are built with.
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <c10/util/Flags.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

C10_DECLARE_int(caffe2_log_level);

using namespace ct;
using std::chrono::milliseconds;

/// Silences c10d's warnings, unless the user chose a level: each lost connection would be one, with a
/// trace of the C++ stack, and our errors say what it means.
static void quieten() {
  constexpr int error = 2;
  if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = error;
}

int32_t ct_store_open(ct_store *out, const char *host, uint16_t port, bool serves,
                      int64_t timeout_ms) {
  CT_TRY(quieten(); c10d::TCPStoreOptions options; options.port = port; options.isServer = serves;
         options.waitWorkers = false; options.timeout = milliseconds(timeout_ms);
         *out = reinterpret_cast<ct_store>(
             new Store(c10::make_intrusive<c10d::TCPStore>(host, options))))
}

void ct_store_free(ct_store s) { delete reinterpret_cast<Store *>(s); }

int32_t ct_store_set(ct_store s, const char *key, const char *text) {
  CT_TRY(ref(s)->set(key, std::vector<uint8_t>(text, text + std::strlen(text))))
}

int32_t ct_store_get(ct_store s, const char *key, char *text, int64_t capacity) {
  CT_TRY(const auto value = ref(s)->get(key);
         const auto count = std::min<size_t>(value.size(), capacity - 1);
         std::copy_n(value.begin(), count, text); text[count] = 0)
}

int32_t ct_store_add(ct_store s, const char *key, int64_t amount, int64_t *sum) {
  CT_TRY(*sum = ref(s)->add(key, amount))
}

int32_t ct_store_has(ct_store s, const char *key, bool *out) {
  CT_TRY(*out = ref(s)->check({key}))
}

/// How long an exchange may take: practically for ever, since whoever waits watches the others.
/// A longest time in milliseconds would overflow where a clock's nanoseconds are added to it.
constexpr std::chrono::hours forever{10 * 365 * 24};

int32_t ct_gloo_join(ct_group *out, ct_store s, const char *prefix, int32_t rank, int32_t size,
                     const char *address, int64_t timeout_ms) {
  using Gloo = c10d::ProcessGroupGloo;
  CT_TRY(auto options = Gloo::Options::create(milliseconds(timeout_ms));
         options->devices.push_back(address ? Gloo::createDeviceForHostname(address)
                                            : Gloo::createDefaultDevice());
         auto store = c10::make_intrusive<c10d::PrefixStore>(prefix, ref(s));
         auto group = c10::make_intrusive<Gloo>(store, rank, size, options);
         group->setTimeout(forever);
         *out = giveGroup(std::move(group)))
}

void ct_group_free(ct_group g) { delete reinterpret_cast<Group *>(g); }

void ct_group_abort(ct_group g) {
  try {
    ref(g)->abort();
  } catch (...) {
    // Gloo has nothing to be aborted: its exchanges end by themselves.
  }
}

int32_t ct_group_all_reduce(ct_work *out, ct_group g, ct_tensor t, int32_t operation) {
  CT_TRY(std::vector<at::Tensor> list{ref(t)}; c10d::AllreduceOptions options;
         options.reduceOp = static_cast<c10d::ReduceOp::RedOpType>(operation);
         *out = giveWork(ref(g)->allreduce(list, options)))
}

int32_t ct_group_broadcast(ct_work *out, ct_group g, ct_tensor t, int32_t root) {
  CT_TRY(std::vector<at::Tensor> list{ref(t)}; c10d::BroadcastOptions options;
         options.rootRank = root; *out = giveWork(ref(g)->broadcast(list, options)))
}

int32_t ct_group_reduce(ct_work *out, ct_group g, ct_tensor t, int32_t root) {
  CT_TRY(std::vector<at::Tensor> list{ref(t)}; c10d::ReduceOptions options;
         options.rootRank = root; *out = giveWork(ref(g)->reduce(list, options)))
}

int32_t ct_group_all_gather(ct_work *out, ct_group g, ct_tensor whole, ct_tensor part) {
  CT_TRY(*out = giveWork(ref(g)->_allgather_base(ref(whole), ref(part))))
}

int32_t ct_group_reduce_scatter(ct_work *out, ct_group g, ct_tensor part, ct_tensor whole) {
  CT_TRY(*out = giveWork(ref(g)->_reduce_scatter_base(ref(part), ref(whole))))
}

/// Waits a while; false if the exchange is still under way then. Throws what made it fail.
static bool waited(c10d::Work &work, milliseconds time) {
  if (!work.isCompleted()) {
    try {
      work.wait(time);
    } catch (...) {
      // The end of the time is an exception too, and the work may end right after it: what made
      // the work fail, if anything did, is thrown again below.
      if (!work.isCompleted()) return false;
    }
  }
  return work.wait();
}

int32_t ct_work_wait(ct_work w, int64_t time, bool *done) {
  CT_TRY(*done = waited(*ref(w), milliseconds(time)))
}

void ct_work_free(ct_work w) { delete reinterpret_cast<Work *>(w); }
