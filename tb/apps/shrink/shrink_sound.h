// SPDX-License-Identifier: Apache-2.0
// What the golden model knows of a program in parts: who updates what, and is it a sensible
// program?
#pragma once
#include "tb/apps/shrink/shrink_program.h"

namespace tb {

Updates updates_of(const defs::Sizes& sizes, const Image& image);

/// What the golden model says about a program, in milliseconds.
struct Soundness {
  bool finished = false, errors = false;
  bool defined = false;  ///< nothing reads bytes of SBUF and PSUM that nobody has written
};
/// Leaves out of `image` what reads bytes of SBUF and PSUM that nobody has written; the rest is
/// what the golden model says.
Soundness make_sound(const defs::Sizes& sizes, Image& image);
/// Takes as long as all the rest.
bool has_races(const defs::Sizes& sizes, const cmodel::Program& program);

}  // namespace tb
