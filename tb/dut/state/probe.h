// SPDX-License-Identifier: Apache-2.0
// Registers inside a chip by hierarchical name: for hang reports, the end check and injection.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tb {

/// A register or memory of the Verilated chip, as it lies in host memory: elements of 1, 2, 4 or 8
/// bytes, or of several 32-bit words; unpacked dimensions row by row.
struct Register {
  void* data = nullptr;
  unsigned bits = 0;           ///< of one element
  unsigned element_bytes = 0;  ///< in host memory
  std::size_t elements = 1;    ///< product of the unpacked dimensions

  explicit operator bool() const { return data != nullptr; }
  /// Bits lsb .. lsb + width - 1 (width <= 64) of an element.
  std::uint64_t get(std::size_t element, unsigned lsb, unsigned width) const;
  std::uint64_t value() const { return get(0, 0, bits < 64 ? bits : 64); }
  bool bit(std::size_t element, unsigned index) const { return get(element, index, 1) != 0; }
  /// Only injection writes.
  void put(std::size_t element, unsigned lsb, unsigned width, std::uint64_t value) const;
  void flip(std::size_t element, unsigned index) const {
    put(element, index, 1, get(element, index, 1) ^ 1u);
  }
};

/// Finds registers made public by tb/dut/state/observe.vlt.
class Probe {
 public:
  /// `find(scope, name)` of the Verilated model.
  class Finder {
   public:
    virtual ~Finder() = default;
    virtual Register find(const std::string& scope, const std::string& name) const = 0;
  };
  explicit Probe(const Finder& finder) : finder_(finder) {}

  /// `place`: instance path below the chip and register, "u_core0.u_tensor.pc_q". Null if none.
  Register find(std::string_view place) const;
  /// The same, but must exist: throws std::runtime_error that names the place.
  Register at(std::string_view place) const;

 private:
  const Finder& finder_;
};

}  // namespace tb
