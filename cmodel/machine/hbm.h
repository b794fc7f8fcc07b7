// SPDX-License-Identifier: Apache-2.0
// A chip's HBM: 2 x 16 GiB of address space of which only touched pages exist.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Bytes at chip-local addresses; never written means zero. Both stacks in one object: addresses
/// differ anyway. Callers check the range (Hbm::mapped), this class only stores.
class Hbm {
 public:
  static constexpr std::uint64_t kPageBytes = 65536;

  /// True if addr .. addr + bytes - 1 lies inside one stack.
  static bool mapped(std::uint64_t addr, std::uint64_t bytes) {
    const auto inside = [&](std::uint64_t base, std::uint64_t size) {
      return addr >= base && addr - base < size && bytes <= size - (addr - base);
    };
    return inside(defs::kAddrHbm0Base, defs::kAddrHbm0Size) ||
           inside(defs::kAddrHbm1Base, defs::kAddrHbm1Size);
  }

  void read(std::uint64_t addr, std::span<std::uint8_t> bytes) const {
    for (std::size_t done = 0; done < bytes.size();) {
      const std::uint64_t at = addr + done;
      const std::size_t run = piece(at, bytes.size() - done);
      if (const std::uint8_t* page = find(at / kPageBytes))
        std::memcpy(bytes.data() + done, page + at % kPageBytes, run);
      else
        std::memset(bytes.data() + done, 0, run);
      done += run;
    }
  }

  void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const std::uint64_t at = addr + done;
      const std::size_t run = piece(at, bytes.size() - done);
      std::memcpy(make(at / kPageBytes) + at % kPageBytes, bytes.data() + done, run);
      done += run;
    }
  }

  std::size_t pages() const { return pages_.size(); }

  /// The least address whose byte is another one there.
  std::optional<std::uint64_t> first_difference(const Hbm& other) const {
    static constexpr Page kZeros{};
    std::optional<std::uint64_t> least;
    const auto compare = [&](std::uint64_t number) {
      const auto bytes = [number](const Hbm& hbm) {
        const auto it = hbm.pages_.find(number);
        return it == hbm.pages_.end() ? kZeros.data() : it->second->data();
      };
      const std::uint8_t* mine = bytes(*this);
      const std::uint8_t* theirs = bytes(other);
      if (std::memcmp(mine, theirs, kPageBytes) == 0) return;
      const auto at =
          static_cast<std::uint64_t>(std::mismatch(mine, mine + kPageBytes, theirs).first - mine);
      least = std::min(least.value_or(~std::uint64_t{0}), number * kPageBytes + at);
    };
    for (const auto& [number, page] : pages_) compare(number);
    for (const auto& [number, page] : other.pages_)
      if (!pages_.contains(number)) compare(number);
    return least;
  }

 private:
  using Page = std::array<std::uint8_t, kPageBytes>;

  static std::size_t piece(std::uint64_t at, std::size_t left) {
    return std::min<std::size_t>(left, kPageBytes - at % kPageBytes);
  }
  std::uint8_t* find(std::uint64_t number) const {
    // A handful of pages are hot at a time (instructions, a source, a destination).
    auto& slot = recent_[number % recent_.size()];
    if (slot.page && slot.number == number) return slot.page;
    const auto it = pages_.find(number);
    if (it == pages_.end()) return nullptr;
    slot = {number, it->second->data()};
    return slot.page;
  }
  std::uint8_t* make(std::uint64_t number) {
    if (std::uint8_t* page = find(number)) return page;
    auto& page = pages_[number];
    page = std::make_unique<Page>();  // value-initialised: zero
    return page->data();
  }

  struct Recent {
    std::uint64_t number = 0;
    std::uint8_t* page = nullptr;
  };
  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  mutable std::array<Recent, 64> recent_{};
};

}  // namespace cmodel
