#include "block.h"

#include "words.h"

namespace emulator {
namespace {

thread_local Block *currentBlock = nullptr;
constexpr size_t stackBytes = 128 << 10;

} // namespace

void Barrier::wait() {
  Block &block = Block::current();
  if (!block.mayWait()) return;
  if (++arrived == count) {
    arrived = 0;
    ++opened;
    block.progress();
    return;
  }
  for (unsigned before = opened; opened == before;) block.yield();
}

Block::Block(unsigned count) : all(count), threads(count) {
  for (unsigned first = 0; first < count; first += 32) {
    warps.push_back(Warp{Barrier(count - first < 32 ? count - first : 32), {}});
  }
  // Not filled: hardly any of it is ever touched.
  for (Thread &thread : threads) thread.stack.reset(new char[stackBytes]);
}

Block &Block::current() { return *currentBlock; }

void Block::enter() {
  Block &block = current();
  (*block.body)();
  block.threads[block.running].hasEnded = true;
  block.progress();
  // Going back to the scheduler is what its context's successor does.
}

void Block::prepare(Thread &thread) {
  thread.hasEnded = false;
  getcontext(&thread.context);
  thread.context.uc_stack.ss_sp = thread.stack.get();
  thread.context.uc_stack.ss_size = stackBytes;
  thread.context.uc_link = &scheduler;
  makecontext(&thread.context, &Block::enter, 0);
}

void Block::yield() { swapcontext(&threads[running].context, &scheduler); }

/// Lets each thread that has not ended run until it waits; tells how many there were.
unsigned Block::round() {
  unsigned alive = 0;
  for (running = 0; running < threads.size(); ++running) {
    if (threads[running].hasEnded) continue;
    ++alive;
    threadIdx.x = running;
    swapcontext(&scheduler, &threads[running].context);
  }
  return alive;
}

bool Block::mayWait() {
  hasWaited = true;
  return !isInTurn;
}

bool Block::runInTurn() {
  for (threadIdx.x = 0; threadIdx.x < threads.size(); ++threadIdx.x) (*body)();
  return !hasWaited;
}

bool Block::run(const std::function<void()> &work) {
  body = &work;
  currentBlock = this;
  isInTurn = hasRun && !hasWaited;
  hasRun = true;
  return isInTurn ? runInTurn() : runTogether();
}

bool Block::runTogether() {
  for (Thread &thread : threads) prepare(thread);
  do {
    hasProgressed = false;
    if (round() == 0) return true;
  } while (hasProgressed);
  return false;
}

} // namespace emulator
