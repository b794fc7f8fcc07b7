// SPDX-License-Identifier: Apache-2.0
// The table of sites.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "tb/inject/injector.h"

namespace tb {
namespace {

using namespace inject;

bool tensor_stream(const cmodel::StreamId& id, bool) { return id.engine == kTensor; }
bool lane_stream(const cmodel::StreamId& id, bool semaphore) {
  return !semaphore && (id.engine == 1 || id.engine == 2);
}
bool dma_stream(const cmodel::StreamId& id, bool) { return id.engine >= kDma0 && id.engine < kRx; }
bool rx_stream(const cmodel::StreamId& id, bool) { return id.engine == kRx; }
bool host_stream(const cmodel::StreamId& id, bool) { return id.engine == kHost; }
bool sequencer_stream(const cmodel::StreamId& id, bool) { return id.engine < defs::kSequencers; }
bool sequencer_update(const cmodel::StreamId& id, bool semaphore) {
  return semaphore && id.engine < kRx;
}

const SiteEntry kSites[] = {
    {{"weight", "a bit of a weight in a PE, while an operand stands before it"},
     "tensor_array",
     &Injector::Impl::weight,
     tensor_stream},
    {{"partial_sum", "a bit of a partial sum on its way down the array"},
     "tensor_array",
     &Injector::Impl::partial_sum,
     tensor_stream},
    {{"psum", "a bit of a PSUM word that was just written"},
     "psum",
     &Injector::Impl::psum,
     tensor_stream},
    {{"tensor_count", "a bit of the counter of PE work of a tensor engine"},
     "tensor_counters",
     &Injector::Impl::tensor_count,
     tensor_stream},
    {{"tensor_stuck", "no sum leaves the array any more: its engine never ends"},
     "tensor_array",
     &Injector::Impl::tensor_stuck,
     tensor_stream},
    {{"tensor_busy", "the array says for ever that a vector is in it"},
     "tensor_array",
     &Injector::Impl::tensor_busy,
     tensor_stream},
    {{"sbuf_write_lost", "a row that an engine writes does not reach SBUF"},
     "sbuf",
     &Injector::Impl::sbuf_write_lost,
     lane_stream},
    {{"dma_address", "a bit of the address that a DMA engine writes to"},
     "dma",
     &Injector::Impl::dma_address,
     dma_stream},
    {{"dma_stuck", "a DMA engine starts no more reads: it never ends"},
     "dma",
     &Injector::Impl::dma_stuck,
     dma_stream},
    {{"host_beat", "a bit of a beat that the host writes to HBM, at the pins of its port"},
     "host_if",
     &Injector::Impl::host_beat,
     host_stream},
    {{"flit_payload", "a payload bit of a flit in a receive buffer behind a link"},
     "fabric",
     &Injector::Impl::flit_payload,
     rx_stream},
    {{"credit_lost", "a flit buffer that was freed is never reported to the sender"},
     "fabric",
     &Injector::Impl::credit_lost,
     rx_stream},
    {{"semaphore_lost", "a semaphore update on its way is dropped"},
     "semaphores",
     &Injector::Impl::semaphore_lost,
     sequencer_update},
    {{"semaphore_value", "a bit of what a semaphore holds, while it is updated"},
     "semaphores",
     &Injector::Impl::semaphore_value,
     sequencer_update},
    {{"instruction", "a bit of a fetched instruction before it issues"},
     "sequencer",
     &Injector::Impl::instruction,
     sequencer_stream},
    {{"sequencer_stuck", "a sequencer lets no instruction go any more"},
     "sequencer",
     &Injector::Impl::sequencer_stuck,
     sequencer_stream},
};

}  // namespace

std::vector<std::string_view> site_names() {
  std::vector<std::string_view> names;
  for (const SiteEntry& entry : kSites) names.push_back(entry.site.name);
  return names;
}

bool find_site(std::string_view name) {
  const auto names = site_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string site_list() {
  std::string text;
  for (const SiteEntry& entry : kSites)
    text += fmt::format("{:<16} {}\n", entry.site.name, entry.site.doc);
  return text;
}

const SiteEntry& inject::entry_of(std::string_view name) {
  return *std::find_if(std::begin(kSites), std::end(kSites),
                       [&](const SiteEntry& entry) { return entry.site.name == name; });
}

}  // namespace tb
