// SPDX-License-Identifier: Apache-2.0
// Bytes that SBUF holds before a program does anything: the host reaches only HBM, so descriptors
// bring them, and every engine of the chip waits for the last.
#pragma once
#include <cstdint>
#include <map>

#include "tb/apps/shrink/shrink_program.h"

namespace tb {

/// By chip-local address.
using Bytes = std::map<std::uint64_t, std::uint8_t>;

/// Adds data, named from `id` on, in pieces: addresses in HBM.
void add_pieces(Image& image, unsigned chip, const Bytes& bytes, std::uint32_t& id);

/// Adds what loads these bytes of SBUF; the image is as it was if nothing is free for that.
void load_sbuf(Image& image, unsigned chip, const Bytes& bytes, std::uint32_t& id);

}  // namespace tb
