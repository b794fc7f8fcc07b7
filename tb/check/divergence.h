// SPDX-License-Identifier: Apache-2.0
// Where RTL and golden model differ, as data and as text.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/machine/commit.h"
#include "rtl/defs/gen/defs.h"

namespace tb {

/// Equal, and of the same operation: a loop comes back to a pc, never to a serial. Receivers and
/// the host have none.
inline bool same(const cmodel::Commit& expected, const cmodel::Commit& actual) {
  const bool counted = actual.stream.engine < static_cast<unsigned>(defs::Engine::Rx);
  return expected == actual && (!counted || expected.serial == actual.serial);
}

/// A commit of the RTL that the model did not make, or not then.
struct Mismatch {
  std::uint64_t cycle = 0;    ///< core cycle of the RTL's commit
  std::uint64_t ordinal = 0;  ///< in its list
  cmodel::Commit actual;
  std::vector<std::uint8_t> data;
  std::optional<cmodel::Commit> expected;  ///< none: the model's list has ended
  std::vector<std::uint8_t> expected_data;
  /// The same write of the same operation, with other bytes.
  bool only_data() const { return expected && same(*expected, actual); }
  /// The same write, of another visit of its loop.
  bool only_operation() const { return expected && *expected == actual && !only_data(); }
  bool is_row() const {
    return actual.kind == cmodel::CommitKind::PsumRow || actual.kind == cmodel::CommitKind::SbufRow;
  }
  /// Bytes of an element; of messages and bursts, of a word.
  unsigned element_bytes() const { return is_row() ? actual.element_bytes : 4; }
};

/// An element that differs.
struct WrongElement {
  std::size_t at = 0;  ///< its first byte in the data
  unsigned bytes = 0;
  std::uint32_t expected = 0, actual = 0;  ///< bits
};
/// All of them; none if expected and actual data are not of one size.
std::vector<WrongElement> wrong_elements(const Mismatch& mismatch);

/// The first commit in which RTL and model differ.
struct Divergence : Mismatch {
  /// Of actual and expected pc, as the model had them then; empty for streams without a program.
  std::string instruction, expected_instruction;
};
/// Several lines: who, which instruction, which element, expected and actual.
std::string to_text(const Divergence& divergence, const defs::Sizes& sizes);

/// "core 1 Tensor", "Rx from chip 2 (core 0 DMA 3, VN 1)"; and behind its chip.
std::string stream_name(const cmodel::StreamId& id);
std::string who(const cmodel::StreamId& id);
/// Everything but the data, by field.
std::string fields(const defs::Sizes& sizes, const cmodel::Commit& commit);
/// One line that names a commit: "chip 3 core 1 Tensor pc 17 PsumRow".
std::string describe(const cmodel::Commit& commit);

}  // namespace tb
