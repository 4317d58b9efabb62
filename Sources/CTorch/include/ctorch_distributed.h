// Several processes: c10d's store, and groups that exchange tensors.
#pragma once
#include "ctorch_core.h"

CT_BEGIN

/// An owned c10d::TCPStore: keys and values that all processes of a group see.
typedef struct ct_store_s *ct_store;
/// An owned c10d::Backend: processes that exchange tensors in the same order.
typedef struct ct_group_s *ct_group;
/// An owned c10d::Work: one exchange that is under way.
typedef struct ct_work_s *ct_work;

enum { CT_REDUCE_SUM = 0, CT_REDUCE_MAX = 4 };

/// Connects to the store at a host and port, or serves it there.
int32_t ct_store_open(ct_store *out, const char *host, uint16_t port, bool serves,
                      int64_t timeout_ms);
void ct_store_free(ct_store s);
int32_t ct_store_set(ct_store s, const char *key, const char *text);
/// The text of a key, cut to the capacity; waits for the key as long as the store's timeout.
int32_t ct_store_get(ct_store s, const char *key, char *text, int64_t capacity);
/// Adds to a number, which begins at 0, and gives the sum.
int32_t ct_store_add(ct_store s, const char *key, int64_t amount, int64_t *sum);
int32_t ct_store_has(ct_store s, const char *key, bool *out);

/// Joins a group over Gloo, for CPU tensors; waits for all its processes.
///
/// `address` is that of the network card to be used, or null for libtorch's own choice.
int32_t ct_gloo_join(ct_group *out, ct_store s, const char *prefix, int32_t rank, int32_t size,
                     const char *address, int64_t timeout_ms);
/// Joins a group over NCCL, for tensors of one GPU; waits for all its processes.
///
/// The NCCL that came with libtorch's CUDA build is looked up now; the error tells what is missing.
int32_t ct_nccl_join(ct_group *out, ct_store s, const char *prefix, int32_t rank, int32_t size,
                     int32_t device);
void ct_group_free(ct_group g);
/// Gives up exchanges that hang, as after the loss of a process.
void ct_group_abort(ct_group g);

/// Begins an exchange; its tensors are kept until the work is freed.
int32_t ct_group_all_reduce(ct_work *out, ct_group g, ct_tensor t, int32_t operation);
int32_t ct_group_broadcast(ct_work *out, ct_group g, ct_tensor t, int32_t root);
/// Leaves the sum at one process; the others' tensors hold nothing of use then.
int32_t ct_group_reduce(ct_work *out, ct_group g, ct_tensor t, int32_t root);
int32_t ct_group_all_gather(ct_work *out, ct_group g, ct_tensor whole, ct_tensor part);
int32_t ct_group_reduce_scatter(ct_work *out, ct_group g, ct_tensor part, ct_tensor whole);
/// Waits for an exchange, but not longer than some milliseconds.
int32_t ct_work_wait(ct_work w, int64_t milliseconds, bool *done);
void ct_work_free(ct_work w);

CT_END
