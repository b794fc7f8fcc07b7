// SPDX-License-Identifier: Apache-2.0
#include "tb/base/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "cmodel/files/output_file.h"
#include "cmodel/program/tile.h"

namespace tb {
namespace {

/// The type string of numpy; of formats that numpy has not, so many bytes without a meaning, as
/// others write them.
std::string_view type_of(defs::Dtype dtype) {
  switch (dtype) {
    case defs::Dtype::Fp32:
    case defs::Dtype::Tf32:
      return "<f4";
    case defs::Dtype::Bf16:
      return "<V2";
    case defs::Dtype::Fp16:
      return "<f2";
    case defs::Dtype::Int8:
      return "|i1";
    case defs::Dtype::Int32:
      return "<i4";
    case defs::Dtype::Fp8E5M2:
    case defs::Dtype::Fp8E4M3:
    case defs::Dtype::Fp8E3M4:
      break;
  }
  return "|u1";  // `compare --as` says which
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
