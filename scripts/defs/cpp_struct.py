# SPDX-License-Identifier: Apache-2.0
"""C++ value types of the structs, packed into 32-bit words."""
from defs.layout import Layout, camel

CPP_HELPERS = """
/// Bits `width` (<= 64) at position `lsb` of a little-endian array of 32-bit words.
inline std::uint64_t get_bits(const std::uint32_t* words, unsigned lsb, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned done = 0; done < width;) {
    const unsigned word = (lsb + done) / 32, shift = (lsb + done) % 32;
    const unsigned take = width - done < 32 - shift ? width - done : 32 - shift;
    const std::uint64_t mask = take == 32 ? 0xffffffffu : (1u << take) - 1u;
    value |= ((words[word] >> shift) & mask) << done;
    done += take;
  }
  return value;
}
inline std::int64_t get_signed(const std::uint32_t* words, unsigned lsb, unsigned width) {
  const std::uint64_t value = get_bits(words, lsb, width);
  return static_cast<std::int64_t>(value << (64 - width)) >> (64 - width);
}
inline void put_bits(std::uint32_t* words, unsigned lsb, unsigned width, std::uint64_t value) {
  for (unsigned done = 0; done < width;) {
    const unsigned word = (lsb + done) / 32, shift = (lsb + done) % 32;
    const unsigned take = width - done < 32 - shift ? width - done : 32 - shift;
    const std::uint32_t mask = (take == 32 ? 0xffffffffu : (1u << take) - 1u) << shift;
    words[word] = (words[word] & ~mask) | ((static_cast<std::uint32_t>(value >> done) << shift) & mask);
    done += take;
  }
}
inline void get_wide(const std::uint32_t* words, unsigned lsb, unsigned width, std::uint32_t* value) {
  for (unsigned done = 0; done < width; done += 32)
    value[done / 32] =
        static_cast<std::uint32_t>(get_bits(words, lsb + done, width - done < 32 ? width - done : 32));
}
inline void put_wide(std::uint32_t* words, unsigned lsb, unsigned width, const std::uint32_t* value) {
  for (unsigned done = 0; done < width; done += 32)
    put_bits(words, lsb + done, width - done < 32 ? width - done : 32, value[done / 32]);
}
"""


def cpp_type(width, signed):
    if width > 64:
        return f"std::array<std::uint32_t, {(width + 31) // 32}>"
    size = next(s for s in (8, 16, 32, 64) if width <= s)
    return f"std::{'' if signed else 'u'}int{size}_t"


def cpp_struct(defs, name):
    """A value type with pack() and unpack(); a config-dependent one takes the sizes."""
    table = defs["struct"][name]
    config = table.get("config", False)
    largest = max(defs["sizes"], key=lambda c: Layout(defs, c).struct_width(name)) if config else None
    layout = Layout(defs, largest)
    bits = layout.struct_width(name)
    words = (bits + 31) // 32
    args = ", const Sizes& sizes" if config else ""
    out = [f"/// {table['doc']}", f"struct {camel(name)} {{"]
    if config:
        out.append(f"  static constexpr unsigned kMaxWords = {words};  ///< of the largest configuration")
        fixed = bits - layout.sizes["LineBytes"] * 8
        out.append(f"  static constexpr unsigned bits(const Sizes& sizes) {{ return sizes.line_bytes * 8 + {fixed}; }}")
    else:
        out += [f"  static constexpr unsigned kBits = {bits};", f"  static constexpr unsigned kWords = {words};",
                f"  using Words = std::array<std::uint32_t, {words}>;"]
    for field, _, width in layout.positions(name):
        kind = camel(field["struct"]) if "struct" in field else cpp_type(width, field.get("signed"))
        doc = f"  ///< {field['doc']}" if field["doc"] else ""
        out.append(f"  {kind} {field['name']}{{}};{doc}")

    def lsb_text(field, lsb):
        """Everything above `data` moves with the line size; data itself is at bit 0."""
        if not config or lsb == 0:
            return str(lsb)
        return f"sizes.line_bytes * 8 + {lsb - layout.sizes['LineBytes'] * 8}"

    for verb in ("pack", "unpack"):
        target = "std::uint32_t* words" if verb == "pack" else "const std::uint32_t* words"
        qualifier = " const" if verb == "pack" else ""
        static = "" if verb == "pack" else "static "
        result = "void" if verb == "pack" else camel(name)
        extra = ", unsigned at = 0" if not config else ""
        out.append(f"  {static}{result} {verb}({target}{args}{extra}){qualifier} {{")
        if verb == "unpack":
            out.append(f"    {camel(name)} s;")
        base = "at + " if not config else ""
        for field, lsb, width in layout.positions(name):
            pos = base + lsb_text(field, lsb)
            me = field["name"] if verb == "pack" else f"s.{field['name']}"
            if "struct" in field:
                out.append(f"    {me}.pack(words, {pos});" if verb == "pack"
                           else f"    {me} = {camel(field['struct'])}::unpack(words, {pos});")
            elif width > 64:
                size = "sizes.line_bytes * 8" if isinstance(field["bits"], str) else str(width)
                out.append(f"    put_wide(words, {pos}, {size}, {me}.data());" if verb == "pack"
                           else f"    get_wide(words, {pos}, {size}, {me}.data());")
            elif verb == "pack":
                out.append(f"    put_bits(words, {pos}, {width}, static_cast<std::uint64_t>({me}));")
            else:
                get = "get_signed" if field.get("signed") else "get_bits"
                out.append(f"    {me} = static_cast<{cpp_type(width, field.get('signed'))}>({get}(words, {pos}, {width}));")
        if verb == "unpack":
            out.append("    return s;")
        out.append("  }")
    if not config:
        out += ["  Words words() const { Words w{}; pack(w.data()); return w; }",
                f"  static {camel(name)} from(const Words& w) {{ return unpack(w.data()); }}"]
    out += [f"  bool operator==(const {camel(name)}&) const = default;", "};", ""]
    return out
