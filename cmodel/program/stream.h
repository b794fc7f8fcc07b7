// SPDX-License-Identifier: Apache-2.0
// What every stream can do beside its own instructions, as calls that follow each other.
#pragma once
#include "cmodel/program/control_stream.h"

namespace cmodel {

template <class Derived>
class Stream : public ControlStream {
 public:
  using ControlStream::ControlStream;
  /// The next instruction issues when semaphore >= value.
  Derived& wait_ge(Semaphore semaphore, unsigned value, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Ge, semaphore, value);
    return self();
  }
  Derived& wait_eq(Semaphore semaphore, unsigned value, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Eq, semaphore, value);
    return self();
  }
  /// Like wait_ge; the value is subtracted when the instruction issues. A semaphore has one taker,
  /// somebody who gives, and nobody else counts it down.
  Derived& take(Semaphore semaphore, unsigned value = 1, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Take, semaphore, value);
    return self();
  }
  /// add_size().
  Derived& size_from(Register size, unsigned dimension = 0, Where at = Where::current()) {
    at_ = at;
    add_size(size, dimension);
    return self();
  }
  /// Adds delta when the last instruction is done.
  Derived& signal(Semaphore semaphore, int delta = 1, Where at = Where::current()) {
    at_ = at;
    add_signal(semaphore, delta);
    return self();
  }
  Derived& nop(Where at = Where::current()) {
    at_ = at;
    check_no_size();
    emit({});
    return self();
  }

 protected:
  Derived& self() { return static_cast<Derived&>(*this); }
};

}  // namespace cmodel
