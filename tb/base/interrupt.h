// SPDX-License-Identifier: Apache-2.0
// A signal that asks a program to end, heard at its next quiet moment.
#pragma once
#include <signal.h>

#include <atomic>

namespace tb {

inline std::atomic<int> g_interrupt = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // or no handler may touch it

/// The signal that came; 0: none.
inline int interrupted() { return g_interrupt; }

/// From now on SIGINT, SIGTERM and SIGHUP are noted, unless whoever started the program has them
/// ignored. A second one of a kind ends the program at once.
inline void heed_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
    action.sa_handler = [](int which) { g_interrupt = which; };
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace tb
