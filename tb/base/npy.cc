// SPDX-License-Identifier: Apache-2.0
#include "tb/base/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <string_view>

#include "cmodel/files/input_file.h"
#include "cmodel/files/npy.h"
#include "cmodel/files/output_file.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/instructions.h"
#include "tb/base/exit_status.h"

namespace tb {
namespace {

constexpr unsigned bit(defs::Dtype dtype) { return 1u << static_cast<unsigned>(dtype); }

/// Type strings of numpy, and the formats whose bits they hold. The first row of a format is how it
/// is written; of formats that numpy has not, so many bytes without a meaning, as others write
/// them.
struct Type {
  std::string_view descr;
  unsigned formats;
};
constexpr unsigned kFp8 =
    bit(defs::Dtype::Fp8E5M2) | bit(defs::Dtype::Fp8E4M3) | bit(defs::Dtype::Fp8E3M4);
constexpr Type kTypes[] = {{"<f4", bit(defs::Dtype::Fp32) | bit(defs::Dtype::Tf32)},
                           {"<V2", bit(defs::Dtype::Bf16)},
                           {"|V2", bit(defs::Dtype::Bf16)},
                           {"bfloat16", bit(defs::Dtype::Bf16)},
                           {"<f2", bit(defs::Dtype::Fp16)},
                           {"|i1", bit(defs::Dtype::Int8)},
                           {"<i4", bit(defs::Dtype::Int32)},
                           {"<u4", bit(defs::Dtype::Uint32)},
                           {"<i2", bit(defs::Dtype::Int16)},
                           {"<u2", bit(defs::Dtype::Uint16)},
                           {"|u1", kFp8 | bit(defs::Dtype::Uint8)},  // `compare --as` says which
                           {"|V1", kFp8},
                           {"<V1", kFp8},
                           {"<f1", bit(defs::Dtype::Fp8E5M2)}};

std::string_view type_of(defs::Dtype dtype) {
  return std::ranges::find_if(kTypes, [&](const Type& t) { return t.formats & bit(dtype); })->descr;
}

std::string names_of(unsigned formats) {
  std::vector<std::string> names;
  for (const defs::Dtype dtype : defs::kEveryDtype)
    if (formats & bit(dtype)) names.push_back(format_name(dtype));
  return fmt::format("{}", fmt::join(names, ", "));
}

/// What the bytes of a file are, for the tensor engine: as they say, or as `asked` says if they may
/// be.
defs::Dtype format_of_file(const std::string& where, const std::string& descr,
                           std::optional<defs::Dtype> asked) {
  const auto refuse = [&](const std::string& allowed) {
    throw Refused(kBadInput, fmt::format("{}: descr is '{}'; allowed {}", where, descr, allowed));
  };
  unsigned formats = 0;
  std::string types;
  for (const Type& type : kTypes) {
    const unsigned product = type.formats & defs::kFormatsProduct;
    if (type.descr == descr) formats = product;
    if (product && (!asked || product & bit(*asked)))
      types += fmt::format("{}{}", types.empty() ? "" : ", ", type.descr);
  }
  if (asked && !(formats & bit(*asked)))
    refuse(fmt::format("with --format {} {}", format_name(*asked), types));
  if (asked) return *asked;
  if (!formats) refuse(types);
  if (formats == kFp8) refuse("with --format " + names_of(kFp8));
  return static_cast<defs::Dtype>(std::countr_zero(formats));  // fp32 is before tf32
}

/// The rows of an array without what lies between and behind them.
std::vector<std::uint8_t> packed(const cmodel::RegionArray& array,
                                 const std::vector<std::uint8_t>& bytes) {
  const std::size_t row = std::size_t{array.columns} * cmodel::element_bytes(array.dtype);
  std::vector<std::uint8_t> out(array.rows * row);
  for (std::size_t i = 0; i < array.rows; ++i)
    std::memcpy(out.data() + i * row, bytes.data() + i * array.stride, row);
  return out;
}

}  // namespace

std::string format_name(defs::Dtype dtype) {
  std::string name(to_string(dtype));
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  return name;
}

Matrix read_matrix(const std::string& option, const std::filesystem::path& file,
                   std::optional<defs::Dtype> format, unsigned most) {
  const std::string where = fmt::format("{} is \"{}\"", option, file.string());
  const auto refuse = [&](const std::string& what) {
    throw Refused(kBadInput, fmt::format("{}: {}", where, what));
  };
  std::vector<std::uint8_t> bytes;
  try {
    bytes = cmodel::read_file(file, std::uint64_t{4} * most * most + 65536);
  } catch (const std::runtime_error& error) {
    throw Refused(kBadInput, fmt::format("{}: {}", option, error.what()));
  }
  const auto header = cmodel::npy_header(bytes);
  if (!header) refuse("is no array; allowed .npy");
  if (header->fortran_order) refuse("fortran_order is True; allowed False");
  const auto& shape = header->shape;
  if (shape.size() != 2 || std::ranges::any_of(shape, [&](auto n) { return n < 1 || n > most; }))
    refuse(fmt::format("shape is ({}); allowed two sides, each 1 .. {}", fmt::join(shape, ", "),
                       most));
  Matrix matrix{format_of_file(where, header->descr, format),
                static_cast<unsigned>(shape[0]),
                static_cast<unsigned>(shape[1]),
                {}};
  const unsigned size = cmodel::element_bytes(matrix.dtype);
  const std::uint64_t held = bytes.size() - header->begin, needed = size * shape[0] * shape[1];
  if (held != needed)
    refuse(fmt::format("holds {} bytes of data; its shape needs {}", held, needed));
  matrix.elements.resize(shape[0] * shape[1]);
  for (std::size_t i = 0; i < matrix.elements.size(); ++i)
    std::memcpy(&matrix.elements[i], bytes.data() + header->begin + i * size, size);
  return matrix;
}

void write_regions(const std::filesystem::path& run, const cmodel::Program& program,
                   const std::vector<std::vector<std::uint8_t>>& regions) {
  for (std::size_t i = 0; i < std::min(regions.size(), program.regions.size()); ++i) {
    std::string name = program.regions[i].name;
    std::replace(name.begin(), name.end(), '/', '_');
    const std::filesystem::path file = run / (name + ".npy");
    // Version 1.0: magic, length of the header, a Python dictionary filled up to 64 bytes.
    const auto& array = program.regions[i].array;
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                     array ? type_of(array->dtype) : "|u1",
                                     array ? fmt::format("{}, {}", array->rows, array->columns)
                                           : fmt::format("{},", regions[i].size()));
    header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
    header += '\n';
    cmodel::OutputFile out(file);
    out.print("{}{}{}{}", std::string_view("\x93NUMPY\x01\x00", 8),
              static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8),
              header);
    const auto bytes = array ? packed(*array, regions[i]) : regions[i];
    out.write(bytes.data(), bytes.size());
    out.finish();
  }
}

}  // namespace tb
