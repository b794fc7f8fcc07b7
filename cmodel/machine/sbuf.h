// SPDX-License-Identifier: Apache-2.0
// State buffer of one core: partitions x bytes. Twin of rtl/mem/sbuf.sv.
#pragma once
#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "cmodel/machine/written.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Storage is laid out as in RTL, a row being the 8-byte words at one offset of all partitions, so
/// that an engine's element column is close together. Callers have checked bounds and alignment
/// (cmodel/machine/access_pattern.h, the DMA's checks). Bytes that nobody has written are zero
/// here, and anything in hardware: written_ has a bit for each, in the order of storage.
class Sbuf {
 public:
  explicit Sbuf(const defs::Sizes& sizes)
      : partitions_(sizes.partitions),
        bytes_(sizes.sbuf_bytes),
        mem_(static_cast<std::uint8_t*>(std::calloc(partitions_, bytes_)), &std::free),
        written_(static_cast<std::uint8_t*>(std::calloc(partitions_, bytes_ / kWord)), &std::free) {
    if (!mem_ || !written_) throw std::bad_alloc();
  }

  unsigned partitions() const { return partitions_; }
  unsigned bytes() const { return bytes_; }

  /// The element of `element_bytes` (1, 2, 4) at `offset` of partitions first ..
  /// first+out.size()-1, zero-extended.
  void read_column(std::uint32_t offset, unsigned element_bytes, unsigned first,
                   std::span<std::uint32_t> out) const {
    assert(first + out.size() <= partitions_ && offset + element_bytes <= bytes_);
    check(first, static_cast<unsigned>(out.size()), offset, element_bytes);
    const std::uint8_t* at = mem_.get() + place(first, offset);
    switch (element_bytes) {
      case 4:
        gather<std::uint32_t>(at, out);
        break;
      case 2:
        gather<std::uint16_t>(at, out);
        break;
      default:
        gather<std::uint8_t>(at, out);
        break;
    }
  }

  /// Writes the low `element_bytes` of each value to consecutive partitions from `first`.
  void write_column(std::uint32_t offset, unsigned element_bytes, unsigned first,
                    std::span<const std::uint32_t> values) {
    assert(first + values.size() <= partitions_ && offset + element_bytes <= bytes_);
    const std::uint8_t bits = bits_of(offset, element_bytes);
    for (std::uint8_t& word : words(first, values.size(), offset)) word |= bits;
    std::uint8_t* at = mem_.get() + place(first, offset);
    switch (element_bytes) {
      case 4:
        scatter<std::uint32_t>(at, values);
        break;
      case 2:
        scatter<std::uint16_t>(at, values);
        break;
      default:
        scatter<std::uint8_t>(at, values);
        break;
    }
  }

  /// Consecutive bytes of one partition.
  void read(unsigned partition, std::uint32_t offset, std::span<std::uint8_t> out) const {
    assert(partition < partitions_ && offset + out.size() <= bytes_);
    each_piece(partition, offset, out.size(), [&](std::size_t at, std::size_t done, std::size_t n) {
      std::memcpy(out.data() + done, mem_.get() + at, n);
    });
  }
  void write(unsigned partition, std::uint32_t offset, std::span<const std::uint8_t> values) {
    assert(partition < partitions_ && offset + values.size() <= bytes_);
    each_piece(partition, offset, values.size(),
               [&](std::size_t at, std::size_t done, std::size_t n) {
                 std::memcpy(mem_.get() + at, values.data() + done, n);
                 written_[at / kWord] |= bits_of(static_cast<std::uint32_t>(at), n);
               });
  }

  /// An operation reads these bytes: notes those that nobody has written. read_column() does so.
  void check(unsigned first, unsigned count, std::uint32_t offset, std::size_t bytes) const {
    for (std::size_t done = 0; done < bytes;) {
      const std::uint32_t at = offset + static_cast<std::uint32_t>(done);
      const std::size_t n = std::min(kWord - at % kWord, bytes - done);
      const std::uint8_t bits = bits_of(at, n);
      std::uint8_t all = bits;
      for (const std::uint8_t word : words(first, count, at)) all &= word;
      if (all != bits) {
        for (unsigned i = 0; i < count; ++i) {
          const unsigned missing = bits & ~words(first, count, at)[i];
          const auto low = static_cast<unsigned>(std::countr_zero(missing));
          if (missing)
            unwritten_.add(first + i, at - at % kWord + low,
                           static_cast<std::uint32_t>(std::bit_width(missing)) - low);
        }
      }
      done += n;
    }
  }
  /// What has been noted since the last call.
  UnwrittenBytes take_unwritten() const { return std::exchange(unwritten_, {}); }
  /// Of the aligned word of kSbufWordBytes at `offset`: bit i, byte i has been written.
  std::uint8_t written(unsigned partition, std::uint32_t offset) const {
    return words(partition, 1, offset)[0];
  }

 private:
  static constexpr std::size_t kWord = defs::kSbufWordBytes;

  std::size_t place(unsigned partition, std::uint32_t offset) const {
    return (std::size_t{offset / kWord} * partitions_ + partition) * kWord + offset % kWord;
  }
  /// Of bytes inside a word.
  static std::uint8_t bits_of(std::uint32_t offset, std::size_t bytes) {
    return static_cast<std::uint8_t>(((1u << bytes) - 1) << offset % kWord);
  }
  /// Of consecutive partitions.
  std::span<std::uint8_t> words(unsigned first, std::size_t count, std::uint32_t offset) const {
    return {written_.get() + place(first, offset) / kWord, count};
  }
  template <class Element>
  static void gather(const std::uint8_t* at, std::span<std::uint32_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      Element element;
      std::memcpy(&element, at + i * kWord, sizeof(element));
      out[i] = element;
    }
  }
  template <class Element>
  static void scatter(std::uint8_t* at, std::span<const std::uint32_t> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Element element = static_cast<Element>(values[i]);
      std::memcpy(at + i * kWord, &element, sizeof(element));
    }
  }
  /// visit(place, bytes before, bytes) for each run of bytes that lies together in storage.
  template <class Visit>
  void each_piece(unsigned partition, std::uint32_t offset, std::size_t count,
                  Visit&& visit) const {
    for (std::size_t done = 0; done < count;) {
      const std::uint32_t at = offset + static_cast<std::uint32_t>(done);
      const std::size_t n = std::min(kWord - at % kWord, count - done);
      visit(place(partition, at), done, n);
      done += n;
    }
  }

  unsigned partitions_, bytes_;
  std::unique_ptr<std::uint8_t[], decltype(&std::free)> mem_, written_;
  mutable UnwrittenBytes unwritten_;
};

}  // namespace cmodel
