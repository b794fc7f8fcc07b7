// SPDX-License-Identifier: Apache-2.0
// The tests of fabric_test with the published sizes: 256-byte lines and beats, sixteen engines per
// core.
#define FABRIC_INF2
#include "tb/unit/fabric/fabric_lossy_test.cc"
#include "tb/unit/fabric/fabric_rate_test.cc"
#include "tb/unit/fabric/fabric_tables_test.cc"
#include "tb/unit/fabric/fabric_test.cc"
