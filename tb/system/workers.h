// SPDX-License-Identifier: Apache-2.0
// A pool that runs one task per chip and window.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace tb {

/// `threads` workers, the caller among them. Tasks are taken from a counter, so a busy chip does
/// not hold up the others; which worker runs which chip has no influence on any result.
class Workers {
 public:
  explicit Workers(unsigned threads) {
    for (unsigned i = 1; i < threads; ++i) threads_.emplace_back([this] { loop(); });
  }
  ~Workers() {
    stop_ = true;
    start();
    for (auto& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;

  /// Runs task(0) .. task(count - 1), returns when all are done: the barrier between windows.
  void run(unsigned count, const std::function<void(unsigned)>& task) {
    task_ = &task;
    count_ = count;
    next_ = 0;
    busy_ = static_cast<unsigned>(threads_.size());
    if (!threads_.empty()) start();
    take_tasks();
    for (unsigned left = busy_; left != 0; left = busy_) busy_.wait(left);
  }

 private:
  void start() {
    ++round_;
    round_.notify_all();
  }
  void take_tasks() {
    for (unsigned i = next_++; i < count_; i = next_++) (*task_)(i);
  }
  void loop() {
    for (std::uint64_t seen = 0;;) {
      round_.wait(seen);
      ++seen;
      if (stop_) return;
      take_tasks();
      if (--busy_ == 0) busy_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  const std::function<void(unsigned)>* task_ = nullptr;
  unsigned count_ = 0;
  std::atomic<unsigned> next_ = 0;
  std::atomic<unsigned> busy_ = 0;
  std::atomic<std::uint64_t> round_ = 0;
  std::atomic<bool> stop_ = false;
};

}  // namespace tb
