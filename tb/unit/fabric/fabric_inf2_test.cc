// SPDX-License-Identifier: Apache-2.0
// fabric_test.cc with the published sizes: 256-byte lines and beats, sixteen engines per core.
#define FABRIC_INF2
#include "tb/unit/fabric/fabric_test.cc"
