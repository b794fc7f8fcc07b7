// SPDX-License-Identifier: Apache-2.0
#include "tb/base/npy.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/files/output_file.h"

namespace tb {

void write_regions(const std::filesystem::path& run, const cmodel::Program& program,
                   const std::vector<std::vector<std::uint8_t>>& regions) {
  for (std::size_t i = 0; i < std::min(regions.size(), program.regions.size()); ++i) {
    std::string name = program.regions[i].name;
    std::replace(name.begin(), name.end(), '/', '_');
    const std::filesystem::path file = run / (name + ".npy");
    // Version 1.0: magic, length of the header, a Python dictionary filled up to 64 bytes.
    std::string header = fmt::format("{{'descr': '|u1', 'fortran_order': False, 'shape': ({},), }}",
                                     regions[i].size());
    header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
    header += '\n';
    cmodel::OutputFile out(file);
    out.print("{}{}{}{}", std::string_view("\x93NUMPY\x01\x00", 8),
              static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8),
              header);
    out.write(regions[i].data(), regions[i].size());
    out.finish();
  }
}

}  // namespace tb
