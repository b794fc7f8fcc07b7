// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program.h"
