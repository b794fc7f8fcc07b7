# SPDX-License-Identifier: Apache-2.0
# Make, the shell and Verilator give these characters a meaning of their own.

foreach(folder "${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}")
  if(folder MATCHES "[] \t\n\"'#$%&*?;:|<>(){}`!^=\\[]")
    message(FATAL_ERROR "${folder}: its path has '${CMAKE_MATCH_0}'; allowed are paths without white space "
                        "and without \" ' # $ % & * ? ; : | < > ( ) [ ] { } ` ! ^ = \\")
  endif()
endforeach()
