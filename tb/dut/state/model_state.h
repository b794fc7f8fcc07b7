// SPDX-License-Identifier: Apache-2.0
// The variables of a Verilated model by name: one model of a chip goes on where another one is.
#pragma once
#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tb {

/// A member of a Verilated class.
struct Variable {
  std::string_view name;
  std::size_t offset, bytes;
};
/// An object of a Verilated class, and its members (scripts/cmake/model_state.py lists them).
struct Instance {
  std::string_view name;
  void* data;
  std::span<const Variable> variables;
  bool wires = false;  ///< an interface
};

/// Copies what both have. Two models of the same RTL keep their registers under the same names;
/// only intermediate results differ, and those follow from the registers. Throws if `from` lacks an
/// instance that is not made of wires alone: then they are not of the same RTL.
inline void copy_state(const std::vector<Instance>& from, const std::vector<Instance>& to) {
  std::map<std::string_view, const Instance*> sources;
  for (const Instance& instance : from) sources[instance.name] = &instance;
  for (const Instance& instance : to) {
    const auto source = sources.find(instance.name);
    if (source == sources.end() && instance.wires) continue;
    if (source == sources.end())
      throw std::runtime_error(std::string(instance.name) + ": not in the plain model of the chip");
    std::map<std::string_view, const Variable*> variables;
    for (const Variable& v : source->second->variables) variables[v.name] = &v;
    for (const Variable& v : instance.variables)
      if (const auto same = variables.find(v.name);
          same != variables.end() && same->second->bytes == v.bytes)
        std::memcpy(static_cast<char*>(instance.data) + v.offset,
                    static_cast<const char*>(source->second->data) + same->second->offset, v.bytes);
  }
}

}  // namespace tb
