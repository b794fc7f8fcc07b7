// SPDX-License-Identifier: Apache-2.0
// Could the files of waves be written?
#pragma once

namespace tb {

/// errno of the first that could not; 0 if all could.
int wave_error();

}  // namespace tb
