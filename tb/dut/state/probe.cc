// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/state/probe.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "rtl/defs/gen/defs.h"

namespace tb {

std::uint64_t Register::get(std::size_t element, unsigned lsb, unsigned width) const {
  const auto* at = static_cast<const std::uint8_t*>(data) + element * element_bytes;
  if (element_bytes > 8)
    return defs::get_bits(reinterpret_cast<const std::uint32_t*>(at), lsb, width);
  std::uint64_t all = 0;
  std::memcpy(&all, at, element_bytes);
  all >>= lsb;
  return width >= 64 ? all : all & ((std::uint64_t{1} << width) - 1);
}

void Register::put(std::size_t element, unsigned lsb, unsigned width, std::uint64_t value) const {
  auto* at = static_cast<std::uint8_t*>(data) + element * element_bytes;
  if (element_bytes > 8) {
    defs::put_bits(reinterpret_cast<std::uint32_t*>(at), lsb, width, value);
    return;
  }
  std::uint64_t all = 0;
  std::memcpy(&all, at, element_bytes);
  const std::uint64_t mask = (width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1)
                             << lsb;
  all = (all & ~mask) | ((value << lsb) & mask);
  std::memcpy(at, &all, element_bytes);
}

Register Probe::find(std::string_view place) const {
  const std::size_t dot = place.rfind('.');
  std::string scope = "TOP.chip";
  if (dot != std::string_view::npos) scope += "." + std::string(place.substr(0, dot));
  return finder_.find(scope, std::string(place.substr(dot + 1)));
}

Register Probe::at(std::string_view place) const {
  Register found = find(place);
  if (!found)
    throw std::runtime_error(
        fmt::format("chip.{}: not in this build (tb/dut/state/observe.vlt)", place));
  return found;
}

}  // namespace tb
