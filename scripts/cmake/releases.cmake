# SPDX-License-Identifier: Apache-2.0
# Where the tools of Debian 12 and 13 differ. The rest of the build knows one Debian.

# What generated cxxrtl code includes: Yosys 0.23 writes <backends/cxxrtl/cxxrtl.h>, 0.52 <cxxrtl/cxxrtl.h>.
find_path(CXXRTL_INCLUDE NAMES cxxrtl/cxxrtl.h backends/cxxrtl/cxxrtl.h REQUIRED
  PATHS /usr/share/yosys/include/backends/cxxrtl/runtime /usr/share/yosys/include)
