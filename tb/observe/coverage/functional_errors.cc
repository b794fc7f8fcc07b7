// SPDX-License-Identifier: Apache-2.0
// Bins of errors: which engine can stop with what.
#include <fmt/format.h>

#include "tb/observe/coverage/functional.h"
#include "tb/observe/coverage/functional_names.h"

namespace tb {
namespace {

using namespace coverage;
using defs::ErrorCause;

/// What an engine can stop with, as the architecture has it. Everything else is illegal.
bool can_stop(Engine engine, ErrorCause cause) {
  const bool dma = engine == Engine::Dma0, sync = engine == Engine::Sync;
  if (engine == Engine::Rx) {  // by a notification; as a sender
    return cause == ErrorCause::SemaphoreOverflow || cause == ErrorCause::Forbidden;
  }
  switch (cause) {
    case ErrorCause::None:
      return false;
    case ErrorCause::ReservedBits:
    case ErrorCause::SemaphoreOverflow:
    case ErrorCause::UnmappedAddress:  // also a stream that leaves HBM, and a load
    case ErrorCause::Misaligned:       // also base of stream and ring
    case ErrorCause::Forbidden:        // by the other core's window
      return true;
    case ErrorCause::UnknownOpcode:
    case ErrorCause::BadShape:
      return !dma;  // also an empty stream
    case ErrorCause::BadFormat:
      return !sync;
    case ErrorCause::BadOperand:
    case ErrorCause::BadPartition:
      return !dma && !sync;
    case ErrorCause::OutOfBounds:
      return true;  // also a stream without END, a branch behind it, an index of a DMA engine
    case ErrorCause::BadDescriptor:
    case ErrorCause::BadDestination:
      return dma;
    case ErrorCause::QueueOverflow:
      return sync;
    case ErrorCause::Unreachable:
    case ErrorCause::Stalled:
      return false;  // the fabric's
  }
  return false;
}

}  // namespace

void Functional::make_error_bins() {
  for (const auto cause : defs::kEveryErrorCause)
    for (const Engine engine :
         {Engine::Tensor, Engine::Vector, Engine::Act, Engine::Sync, Engine::Dma0, Engine::Rx})
      if (can_stop(engine, cause)) bin(fmt::format("{}.error.{}", block(engine), to_string(cause)));
}

}  // namespace tb
