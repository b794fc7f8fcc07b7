# SPDX-License-Identifier: Apache-2.0
"""The C++ header defs.h: sizes, constants, registers, enumerations, structs."""
from defs.cpp_struct import CPP_HELPERS, cpp_struct
from defs.description import NOTE, mark_mask
from defs.layout import camel, snake


def cpp_header(defs):
    out = [f"// {NOTE}.", "#pragma once", "#include <array>", "#include <cstdint>", "#include <string_view>", "",
           "namespace defs {", ""]
    docs = next(iter(defs["sizes"].values()))
    out += ["/// What differs between configurations.", "struct Sizes {", "  std::string_view name;"]
    out += [f"  unsigned {snake(k)};  ///< {v['doc']}" for k, v in docs.items()]
    out += ["};"]
    for config, table in defs["sizes"].items():
        values = ", ".join(str(v["value"]) for v in table.values())
        out.append(f"inline constexpr Sizes k{camel(config)}{{\"{config}\", {values}}};")
    configs = ", ".join(f"&k{camel(c)}" for c in defs["sizes"])
    out += [f"inline constexpr std::array<const Sizes*, {len(defs['sizes'])}> kConfigs{{{configs}}};", ""]
    for name, entry in defs["constants"].items():
        out.append(f"inline constexpr unsigned k{name} = {entry['value']};  ///< {entry['doc']}")
    out.append("")
    for name, entry in defs["address"].items():
        out.append(f"inline constexpr std::uint64_t kAddr{name}Base = 0x{entry['base']:x};  ///< {entry['doc']}")
        out.append(f"inline constexpr std::uint64_t kAddr{name}Size = 0x{entry['size']:x};")
        out.append(f"inline constexpr bool in_{snake(name)}(std::uint64_t addr) {{ "
                   f"return addr - kAddr{name}Base < kAddr{name}Size; }}")
    out += ["", "struct Csr {", "  std::string_view name;", "  std::uint32_t offset;", "  unsigned count;",
            "  bool per_core;", "  std::string_view access;", "  unsigned bits;  ///< it has; writing others is refused",
            "  std::string_view block;  ///< is wrong if its answer is", "};"]
    for name, entry in defs["csr"].items():
        out.append(f"inline constexpr Csr kCsr{name}{{\"{name}\", 0x{entry['offset']:x}, {entry.get('count', 1)}, "
                   f"{str(entry.get('per_core', False)).lower()}, \"{entry['access']}\", {entry.get('bits', 64)}, "
                   f"\"{entry.get('block', 'host_if')}\"}};  ///< {entry['doc']}")
    out += [f"inline constexpr std::array kCsrs{{{', '.join('kCsr' + n for n in defs['csr'])}}};",
            "inline constexpr std::uint64_t csr_addr(const Csr& csr, unsigned core, unsigned index) {",
            "  return kAddrCsrBase + csr.offset + (csr.per_core ? core * kCsrCoreStride : 0) + 8 * index;", "}", ""]
    for name, table in defs["enum"].items():
        out += [f"/// {table['doc']}", f"enum class {camel(name)} : std::uint8_t {{"]
        out += [f"  {key} = {entry['value']},  ///< {entry['doc']}".removesuffix("  ///< ")
                for key, entry in table["values"].items()]
        out += ["};", f"inline constexpr std::string_view to_string({camel(name)} value) {{", "  switch (value) {"]
        out += [f"    case {camel(name)}::{key}: return \"{key}\";" for key in table["values"]]
        every = ", ".join(f"{camel(name)}::{key}" for key in table["values"])
        out += ["  }", "  return \"?\";", "}", f"inline constexpr std::array kEvery{camel(name)}{{{every}}};"]
        out += [f"inline constexpr std::uint64_t k{camel(name)}{camel(mark)} = 0x{mark_mask(table, mark):x};  ///< a mask: {doc}"
                for mark, doc in table.get("marks", {}).items()]
        out.append("")
    out += [CPP_HELPERS]
    for name in defs["struct"]:
        out += cpp_struct(defs, name)
    return "\n".join(out + ["}  // namespace defs", ""])


def cpp_rates(defs):
    out = [f"// {NOTE}.", "// What turns cycles into time.", "#pragma once", "", "namespace defs {", ""]
    out += [f"inline constexpr unsigned k{name} = {entry['value']};  ///< {entry['doc']}" for name, entry in defs["rates"].items()]
    return "\n".join([*out, "", "}  // namespace defs", ""])
