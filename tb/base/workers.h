// SPDX-License-Identifier: Apache-2.0
// A pool that runs one task per chip and window.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace tb {

/// `threads` workers, the caller among them. Tasks are taken from a counter, so a busy chip does
/// not hold up the others; which worker runs which chip has no influence on any result.
class Workers {
 public:
  explicit Workers(unsigned threads) { begin(threads - 1); }
  ~Workers() {
    stop_ = true;
    start();
    for (auto& thread : *threads_) thread.join();
  }
  Workers(const Workers&) = delete;

  /// In a process forked between two runs: threads have not come along, only what they are known
  /// by.
  void rebuild() {
    const std::vector<std::thread>* gone = threads_.release();  // nobody may join or destroy them
    begin(static_cast<unsigned>(gone->size()));
  }

  /// Runs task(0) .. task(count - 1), returns when all are done: the barrier between windows.
  void run(unsigned count, const std::function<void(unsigned)>& task) {
    task_ = &task;
    count_ = count;
    next_ = 0;
    busy_ = static_cast<unsigned>(threads_->size());
    if (!threads_->empty()) start();
    take_tasks();
    for (unsigned left = busy_; left != 0; left = busy_) busy_.wait(left);
  }

 private:
  void begin(unsigned helpers) {
    threads_ = std::make_unique<std::vector<std::thread>>();
    for (unsigned i = 0; i < helpers; ++i)
      threads_->emplace_back([this, seen = round_.load()] { loop(seen); });
  }
  void start() {
    ++round_;
    round_.notify_all();
  }
  void take_tasks() {
    for (unsigned i = next_++; i < count_; i = next_++) (*task_)(i);
  }
  void loop(std::uint64_t seen) {
    for (;;) {
      round_.wait(seen);
      ++seen;
      if (stop_) return;
      take_tasks();
      if (--busy_ == 0) busy_.notify_one();
    }
  }

  std::unique_ptr<std::vector<std::thread>> threads_;
  const std::function<void(unsigned)>* task_ = nullptr;
  unsigned count_ = 0;
  std::atomic<unsigned> next_ = 0;
  std::atomic<unsigned> busy_ = 0;
  std::atomic<std::uint64_t> round_ = 0;
  std::atomic<bool> stop_ = false;
};

}  // namespace tb
