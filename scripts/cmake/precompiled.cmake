# SPDX-License-Identifier: Apache-2.0
# The headers of libraries that most files read, parsed once. None of ours is among them, and every file still
# includes what it uses.
set(precompiled ${CMAKE_BINARY_DIR}/precompiled.cc)
file(CONFIGURE OUTPUT ${precompiled} CONTENT "")
add_library(precompiled OBJECT ${precompiled})
target_link_libraries(precompiled PRIVATE fmt::fmt GTest::gtest)
target_precompile_headers(precompiled PRIVATE
  <algorithm> <array> <bit> <charconv> <chrono> <cmath> <cstdint> <cstring> <deque> <filesystem> <fstream> <functional>
  <map> <memory> <optional> <random> <set> <span> <sstream> <stdexcept> <string> <string_view> <tuple> <unordered_map>
  <utility> <vector> <fmt/format.h> <gtest/gtest.h> <nlohmann/json.hpp>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # A compiler cache compares contents.
  target_compile_options(precompiled PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# use_precompiled(DIRECTORY): all programs and libraries of C++ in it and below.
function(use_precompiled DIRECTORY)
  get_property(targets DIRECTORY ${DIRECTORY} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type MATCHES "EXECUTABLE|STATIC_LIBRARY|OBJECT_LIBRARY")
      target_precompile_headers(${target} REUSE_FROM precompiled)
    endif()
  endforeach()
  get_property(below DIRECTORY ${DIRECTORY} PROPERTY SUBDIRECTORIES)
  foreach(directory ${below})
    use_precompiled(${directory})
  endforeach()
endfunction()
