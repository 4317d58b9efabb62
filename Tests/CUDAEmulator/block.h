// A block of threads, each with a stack of its own, of which one runs at a time.
#pragma once
#include <ucontext.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

namespace emulator {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

/// A point that a number of threads reach before any of them goes on.
class Barrier {
public:
  explicit Barrier(unsigned count) : count(count) {}

  void wait();

private:
  unsigned count, arrived = 0, opened = 0;
};

/// 32 threads that see each other's values.
struct Warp {
  Barrier barrier;
  unsigned char values[32][8];
};

class Block {
public:
  explicit Block(unsigned threads);

  /// Runs `body` in every thread; false where some wait for ever.
  ///
  /// Where no thread of a block has waited for others, those of later blocks run one after the other.
  bool run(const std::function<void()> &body);

  /// Says that a thread waits; false where it can't, since it has no stack of its own.
  bool mayWait();

  /// The block whose thread is running.
  static Block &current();

  /// Lets the other threads run.
  void yield();

  /// Says that a thread has come further than the others had to wait for.
  void progress() { hasProgressed = true; }

  Barrier all;
  std::vector<Warp> warps;

private:
  struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool hasEnded;
  };

  static void enter();
  void prepare(Thread &thread);
  unsigned round();
  bool runTogether();
  bool runInTurn();

  std::vector<Thread> threads;
  ucontext_t scheduler;
  const std::function<void()> *body = nullptr;
  unsigned running = 0;
  bool hasProgressed = false;
  bool hasRun = false, hasWaited = false, isInTurn = false;
};

} // namespace emulator
