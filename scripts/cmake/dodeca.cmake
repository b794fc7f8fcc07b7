# SPDX-License-Identifier: Apache-2.0
# Three functions; everything else in the build is one line each.

find_program(VERILATOR verilator REQUIRED)
get_filename_component(VERILATOR_PREFIX ${VERILATOR} DIRECTORY)
set(VERILATOR_ROOT ${VERILATOR_PREFIX}/../share/verilator)

# Verilator's run time, once for all models.
find_package(ZLIB REQUIRED)
add_library(verilated STATIC
  ${VERILATOR_ROOT}/include/verilated.cpp ${VERILATOR_ROOT}/include/verilated_dpi.cpp
  ${VERILATOR_ROOT}/include/verilated_threads.cpp ${CMAKE_SOURCE_DIR}/tb/dut/fst_writer.cc
  ${CMAKE_SOURCE_DIR}/tb/dut/rtl_print.cc)
# A tree that scripts/mutate has written: its RTL asks which mutant is chosen.
option(DODECA_MUTANTS "the RTL holds mutants" OFF)
if(DODECA_MUTANTS)
  target_sources(verilated PRIVATE ${CMAKE_SOURCE_DIR}/tb/dut/mutants.cc)
  string(APPEND DODECA_CXX_FLAGS " -include ${CMAKE_SOURCE_DIR}/tb/dut/mutants.h")
endif()
# What it prints goes through tb/dut/rtl_print.h.
set_source_files_properties(${VERILATOR_ROOT}/include/verilated.cpp PROPERTIES COMPILE_OPTIONS
  "-include;${CMAKE_SOURCE_DIR}/tb/dut/rtl_print.h;-DVL_PRINTF=tb::rtl_print")
target_include_directories(verilated SYSTEM PUBLIC ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
target_include_directories(verilated PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(verilated PUBLIC VM_COVERAGE=0 VM_SC=0 VM_TRACE=1 VM_TRACE_FST=1 VM_TRACE_VCD=0)
target_compile_options(verilated PRIVATE -w)
target_link_libraries(verilated PUBLIC Threads::Threads ZLIB::ZLIB)
# The same with coverage counters, for models that were Verilated with --coverage. Built on request.
add_library(verilated_coverage STATIC EXCLUDE_FROM_ALL
  ${VERILATOR_ROOT}/include/verilated.cpp ${VERILATOR_ROOT}/include/verilated_dpi.cpp
  ${VERILATOR_ROOT}/include/verilated_threads.cpp ${VERILATOR_ROOT}/include/verilated_cov.cpp
  ${CMAKE_SOURCE_DIR}/tb/dut/rtl_print.cc)
target_include_directories(verilated_coverage SYSTEM PUBLIC ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
target_include_directories(verilated_coverage PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(verilated_coverage PUBLIC VM_COVERAGE=1 VM_SC=0 VM_TRACE=0 VM_TRACE_FST=0 VM_TRACE_VCD=0)
target_compile_options(verilated_coverage PRIVATE -w)
target_link_libraries(verilated_coverage PUBLIC Threads::Threads ZLIB::ZLIB)

# Folders and packages of the RTL, lower rooms first.
set(DODECA_PYTHON python3 -I -X utf8)  # as scripts/start.py says
set(layers ${CMAKE_SOURCE_DIR}/scripts/layers.py)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${layers} ${CMAKE_SOURCE_DIR}/scripts/layers.toml)
execute_process(COMMAND ${DODECA_PYTHON} ${layers} --folders OUTPUT_VARIABLE folders COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${DODECA_PYTHON} ${layers} --packages OUTPUT_VARIABLE packages COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" DODECA_RTL_FOLDERS ${folders})
string(REGEX MATCHALL "[^\n]+" DODECA_RTL_PACKAGES ${packages})
list(TRANSFORM DODECA_RTL_PACKAGES PREPEND ${CMAKE_SOURCE_DIR}/)
set(DODECA_RTL_PATHS +incdir+${CMAKE_SOURCE_DIR}/rtl/prim)
set(sources "")
foreach(folder ${DODECA_RTL_FOLDERS})
  list(APPEND DODECA_RTL_PATHS -y ${CMAKE_SOURCE_DIR}/${folder})
  list(APPEND sources ${CMAKE_SOURCE_DIR}/${folder}/*.sv)
endforeach()
file(GLOB DODECA_RTL_SOURCES CONFIGURE_DEPENDS ${sources})

# add_verilated(NAME TOP top CONFIG inf2|mini [COVERAGE] [SOURCES file…] [FLAGS flag…])
#
# A static library of the Verilated module `top`, class V<top>, sizes of CONFIG. Modules are found by
# file name (-y), so SOURCES names only packages beyond the usual ones and modules to bind.
# Loops stay loops (--unroll-count 1) and assertions are always live (--assert).
# COVERAGE counts lines, branches and toggles; such a library is built on request.
# Every library uses the prefix V<NAME>, so two configurations can meet in one program.
function(add_verilated NAME)
  cmake_parse_arguments(ARG "COVERAGE" "TOP;CONFIG" "SOURCES;FLAGS" ${ARGN})
  set(dir ${CMAKE_BINARY_DIR}/verilated/${NAME})
  set(defs ${CMAKE_SOURCE_DIR}/rtl/defs/gen)
  set(depends "")
  # The file of the top module, wherever it lives: -y finds only what is instantiated.
  foreach(folder ${DODECA_RTL_FOLDERS} tb/unit/rtl tb/fabric)
    if(EXISTS ${CMAKE_SOURCE_DIR}/${folder}/${ARG_TOP}.sv)
      list(APPEND ARG_SOURCES ${CMAKE_SOURCE_DIR}/${folder}/${ARG_TOP}.sv)
    endif()
  endforeach()
  list(REMOVE_DUPLICATES ARG_SOURCES)
  set(runtime verilated)
  set(level -O3)
  set(optimise OPT_FAST=-O3 OPT_SLOW=-O1 OPT_GLOBAL=-O3)
  set(between "")
  set(compile ${CMAKE_SOURCE_DIR}/scripts/cmake/compile_model.sh ${dir} ${NAME} ${CMAKE_CXX_COMPILER})
  if(ARG_COVERAGE)
    set(runtime verilated_coverage)
    # Thousands of counters gain nothing from -O3 and take minutes to compile with it.
    set(level -include ${CMAKE_SOURCE_DIR}/tb/observe/coverage/count_toggles.h)
    set(optimise OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1)
    # Between Verilator and the compiler: words instead of bits.
    set(between COMMAND ${DODECA_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/coverage/words.py ${dir})
    set(compile make -C ${dir} -f V${NAME}.mk -j 2 CXX=${CMAKE_CXX_COMPILER} LINK=${CMAKE_CXX_COMPILER})
    list(APPEND depends ${CMAKE_SOURCE_DIR}/scripts/coverage/words.py ${CMAKE_SOURCE_DIR}/tb/observe/coverage/count_toggles.h)
    set(counted ${DODECA_RTL_SOURCES})
    add_custom_command(OUTPUT ${dir}.vlt
      COMMAND ${DODECA_PYTHON} ${CMAKE_SOURCE_DIR}/scripts/coverage/wires.py ${dir}.vlt ${ARG_TOP} ${counted}
      DEPENDS ${CMAKE_SOURCE_DIR}/scripts/coverage/wires.py ${counted} VERBATIM)
    list(APPEND depends ${dir}.vlt)
    list(APPEND ARG_FLAGS --coverage --coverage-max-width 1023
         ${CMAKE_SOURCE_DIR}/tb/observe/coverage/coverage.vlt ${dir}.vlt)
  endif()
  string(JOIN " " cflags ${level} -std=c++20 ${DODECA_CXX_FLAGS} -DSC_CPLUSPLUS=201703L -Wno-unknown-warning-option)
  add_custom_command(
    OUTPUT ${dir}/V${NAME}__ALL.a
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/cmake/quiet.sh ${dir}.log ${VERILATOR} --cc --prefix V${NAME} --top-module ${ARG_TOP} --Mdir ${dir}
            --assert --unroll-count 1 --x-assign unique --x-initial unique --no-timing
            --output-split 20000 -Wall -Wno-fatal
            -CFLAGS ${cflags}
            ${ARG_FLAGS} ${DODECA_RTL_PATHS} ${CMAKE_SOURCE_DIR}/rtl/lint.vlt
            ${defs}/${ARG_CONFIG}/size_pkg.sv ${defs}/defs_pkg.sv ${defs}/address_pkg.sv ${defs}/instr_pkg.sv ${defs}/table_pkg.sv ${DODECA_RTL_PACKAGES} ${ARG_SOURCES}
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/cmake/depfile.sh ${dir} ${NAME}
    ${between}
    COMMAND ${CMAKE_SOURCE_DIR}/scripts/cmake/quiet.sh ${dir}.make.log ${compile} ${optimise}
    # Known to be made here, so that what includes them is compiled again in the same build.
    BYPRODUCTS ${dir}/V${NAME}.h ${dir}/V${NAME}___024root.h
    DEPENDS ${depends} ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/scripts/cmake/compile_model.sh
    DEPFILE ${dir}/${NAME}.read.d
    COMMENT "Verilating ${NAME} (${ARG_TOP}, ${ARG_CONFIG})" VERBATIM)
  add_custom_target(${NAME}_verilate DEPENDS ${dir}/V${NAME}__ALL.a)
  add_library(${NAME} INTERFACE)
  add_dependencies(${NAME} ${NAME}_verilate)
  target_include_directories(${NAME} SYSTEM INTERFACE ${dir})
  target_link_libraries(${NAME} INTERFACE ${dir}/V${NAME}__ALL.a ${runtime})
endfunction()

# add_unit_test(NAME SOURCES file… [LIBS lib…] [LABELS label…])  GoogleTest program NAME.cc
function(add_unit_test NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS;LABELS;ARGS" ${ARGN})
  add_executable(${NAME} ${NAME}.cc ${ARG_SOURCES})
  target_include_directories(${NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${NAME} PRIVATE ${ARG_LIBS} fmt::fmt GTest::gtest GTest::gtest_main)
  add_test(NAME ${NAME} COMMAND ${NAME} ${ARG_ARGS})
  set_tests_properties(${NAME} PROPERTIES LABELS "unit;${ARG_LABELS}" TIMEOUT 600)
endfunction()
