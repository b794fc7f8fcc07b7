// SPDX-License-Identifier: Apache-2.0
// The tests of the fabric with the published sizes: 256-byte lines and beats, sixteen engines per
// core. Routing tables know no sizes: fabric_tables_test has them.
#define FABRIC_INF2
#include "tb/unit/fabric/fabric_lossy_test.cc"
#include "tb/unit/fabric/fabric_rate_test.cc"
#include "tb/unit/fabric/fabric_test.cc"
