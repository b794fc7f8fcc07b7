// SPDX-License-Identifier: Apache-2.0
// Writes one rank of a Decoder into the streams of its core: decoder.h says what each does.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cmodel/kernels/decoder.h"
#include "cmodel/kernels/spread.h"

namespace cmodel {

class DecoderRank {
 public:
  /// Places what the rank has in memory.
  DecoderRank(Assembler& assembler, Core& core, const DecoderPlan& plan,
              const DecoderWeights& weights, const DecoderTexts& texts, unsigned rank);
  /// Tokens that the cache has room for.
  unsigned capacity() const { return capacity_; }
  /// Writes all streams. Of `all` ranks in order.
  void write(const std::vector<std::unique_ptr<DecoderRank>>& all);

  DecoderBlocks blocks;

 private:
  using Ranks = std::vector<std::unique_ptr<DecoderRank>>;
  static constexpr unsigned kSlots = 4;   ///< of weights that stream
  static constexpr unsigned kPhases = 2;  ///< of a layer: attention, feed-forward
  static constexpr int kNoiseBits = 23;   ///< of a random number
  // Banks of PSUM.
  static constexpr unsigned kColumns = 0, kScores = 1, kSpread = 2, kRow = 4,
                            kSums = kRow + DecoderPlan::kRowBanks;

  std::string name(const char* what) const {
    return fmt::format("{} {}.{}", what, core_.chip(), core_.index());
  }
  Block hbm(const char* what, unsigned row_bytes, unsigned rows) {
    return assembler_.hbm(core_.chip(), core_.index(), name(what), row_bytes, rows);
  }
  Block data(const char* what, unsigned row_bytes, unsigned rows,
             const std::vector<std::uint8_t>& bytes) {
    return assembler_.data(core_.chip(), core_.index(), name(what), row_bytes, rows, bytes);
  }
  Tile lines(unsigned partitions, unsigned elements, defs::Dtype dtype) {
    return line_tile(assembler_, core_, partitions, elements, dtype);
  }

  // ------------------------------------------------------------------------------- places
  void place();
  /// A copy moves whole words.
  static unsigned even(unsigned columns) { return (columns + 1) / 2 * 2; }
  unsigned mask_columns() const { return even(plan_.locals * plan_.heads); }
  unsigned layer_bytes() const { return 2 * plan_.locals * capacity_ * 2; }
  /// Keys (part 0) or values (1) of a tile of features, of layer 0.
  Tile cache(unsigned part, unsigned t) const {
    return cache_.columns((part * plan_.locals + t) * capacity_, capacity_);
  }
  Tile scores() const { return core_.psum(kScores, plan_.heads, capacity_); }
  Tile spread_p(unsigned t) const {
    return core_.psum(kSpread + t % 2, plan_.local_tile, capacity_);
  }
  Tile row_sums(unsigned piece, unsigned columns) const {
    return core_.psum(kRow + piece, 1, columns);
  }
  /// All ranks' parts of `count` columns of a vector, side by side. A later group is made when the
  /// piece of rows that lay in its bank has arrived from this rank, too.
  Tile in_columns(unsigned group, unsigned count) const {
    return core_.psum(group == 0 ? kSums : kRow + group - 1, plan_.tile, count * plan_.ranks);
  }
  Tile norm_sum() const { return core_.psum(kSums, plan_.tile, 1); }

  Block chunk() const { return weights_.row_range(0, plan_.tile); }
  Block slot() const { return assembler_.block(slots_.columns(0, plan_.chunk_bytes / 2)); }

  /// body(number, first, count) of each piece of so many columns, at most `most` in one.
  template <class Body>
  static void for_parts(unsigned columns, unsigned most, Body&& body) {
    for (unsigned i = 0; i * most < columns; ++i)
      body(i, i * most, std::min(most, columns - i * most));
  }
  /// Of a row, one in each of its banks: what is made first leaves while the others are made.
  template <class Body>
  static void for_pieces(unsigned columns, Body&& body) {
    for_parts(columns, (columns + DecoderPlan::kRowBanks - 1) / DecoderPlan::kRowBanks, body);
  }
  /// Of a vector, those whose parts of all ranks a bank takes.
  template <class Body>
  void for_groups(Body&& body) const {
    for_parts(plan_.tiles, plan_.group(), body);
  }

  // ------------------------------------------------------------------------------- loops
  struct Span {
    Register turns, prompt;
  };
  unsigned count() const { return static_cast<unsigned>(texts_.seeds.size()); }
  /// text(its number) for each text.
  template <class S, class Body>
  void for_texts(S& s, Body&& text) const {
    repeat(s, count(), 1, text);
  }
  /// text times `bytes`.
  Register offset(ControlStream& s, Register text, std::int64_t bytes) const {
    if (count() == 1) return s.zero();
    const Register at = s.reg();
    s.alu(defs::RegOp::Mul, at, text, s.zero(), static_cast<std::uint32_t>(bytes));
    return at;
  }
  template <class S>
  Span span(S& s, Register text) const {
    const Span span{s.reg(), s.reg()};
    const Register at = offset(s, text, blocks.span.stride);
    s.load(span.turns, blocks.span, at);
    s.load(span.prompt, blocks.span, at, 4);
    return span;
  }
  /// token(position, keys) for each token of each text, with registers of both; begin(text) before.
  template <class S, class Body, class Begin>
  void for_tokens(S& s, Body&& token, Begin&& begin) const {
    for_texts(s, [&](Register text) {
      begin(text);
      const Span all = span(s, text);
      const Register keys = s.reg();
      s.loop(all.turns, [&](Register position) {
        s.alu(defs::RegOp::Add, keys, position, s.zero(), 1);
        token(position, keys);
      });
    });
  }
  template <class S, class Body>
  void for_tokens(S& s, Body&& token) const {
    for_tokens(s, token, [](Register) {});
  }
  /// layer(bytes of the cache before it).
  template <class S, class Body>
  void for_layers(S& s, Body&& layer) const {
    s.loop(plan_.shape.layers, layer_bytes(), layer);
  }
  template <class S, class Body>
  static void repeat(S& s, unsigned turns, unsigned step, Body&& body) {
    if (turns == 1) body(s.zero());
    if (turns > 1) s.loop(turns, step, body);
  }

  // ------------------------------------------------------------------------------- streams
  void next_slot(ControlStream& s, Register at);
  void open_ring(ControlStream& s);
  void fetch(unsigned chunks);
  void exchange(unsigned phase, const Ranks& all);
  void load_constants();
  void write_sync(const Ranks& all);
  void write_text(Register text, const Ranks& all);
  template <class Body>
  void use_chunk(Body&& body);
  void columns(unsigned outputs, unsigned rows);
  void row(const Tile& x, unsigned outputs);
  void sum_squares();
  void turn_rows(unsigned phase);
  void write_tensor();
  void normalise();
  void scale_logits();
  void add_rows(unsigned phase);
  void write_vector();
  void scale();
  void scale_for_vector();
  bool sampled() const { return texts_.temperature > 0; }
  /// Of each character, a word: where the last layer's rows were. They are summed, and the next
  /// ones come behind what this rank sends next.
  Tile noise() const { return rows_[kPhases - 1].rows(0, 1).columns(0, plan_.shape.characters); }
  void seed_text(Register text);
  void draw_noise();
  void shape_noise();
  void write_act();

  Assembler& assembler_;
  Core& core_;
  const DecoderPlan& plan_;
  const DecoderTexts& texts_;
  unsigned rank_, capacity_ = 0, vector_parts_ = 0;
  Block embedding_, position_, weights_;
  Tile slots_, token_, at_, x_, squares_, square_, inverse_, h_, ones_, mask_, q_, members_, eye_,
      o_, minus_max_, sum_, share_, hidden_, logits_, greatest_, picked_tile_, cache_, terms_, e_,
      shares_;
  Tile rows_[kPhases], row_[kPhases];  ///< all ranks' rows, this rank's
  Register weight_, fetched_at_, slot_at_;
  std::map<const ControlStream*, Register> ring_;
  std::vector<Semaphore> loaded_;            ///< by DMA engine: they overtake each other
  std::vector<Semaphore> arrived_[kPhases];  ///< by piece of the rows
  Semaphore drawn_, noised_;                 ///< if sampled()
  Semaphore there_ = core_.semaphore("constants"), free_ = core_.semaphore("slot free"),
            embedded_ = core_.semaphore("embedded"), squared_ = core_.semaphore("squared"),
            norm_summed_ = core_.semaphore("squares summed"), scaled_ = core_.semaphore("scaled"),
            rounded_ = core_.semaphore("x in bf16"), projected_ = core_.semaphore("q"),
            projected_kv_ = core_.semaphore("k, v"), q_made_ = core_.semaphore("q by head"),
            cached_ = core_.semaphore("cached"), scored_ = core_.semaphore("scored"),
            max_ = core_.semaphore("max"), shared_ = core_.semaphore("p"),
            spread_ = core_.semaphore("p by feature"), spread_free_ = core_.semaphore("bank free"),
            attended_ = core_.semaphore("attended"), row_summed_ = core_.semaphore("row"),
            row_made_ = core_.semaphore("row made"), turned_ = core_.semaphore("rows turned"),
            hidden_summed_ = core_.semaphore("hidden"), hidden_made_ = core_.semaphore("gelu"),
            picked_ = core_.semaphore("picked"), stored_ = core_.semaphore("stored");
};

}  // namespace cmodel
