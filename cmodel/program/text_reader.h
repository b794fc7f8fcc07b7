// SPDX-License-Identifier: Apache-2.0
// The lines of a text program, one by one.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/program/program.h"
#include "cmodel/program/text_scanner.h"

namespace cmodel {

/// Builds the program line by line. Throws std::runtime_error, "FILE:LINE:COLUMN: what; what is
/// allowed".
class TextReader {
 public:
  explicit TextReader(const std::filesystem::path& file)
      : file_(file), name_(*names().insert(file.string()).first) {}

  void line(std::uint32_t number, std::string_view text);
  /// Behind the last of `lines`; checks the whole.
  Program finish(std::uint32_t lines);

 private:
  static constexpr unsigned kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
  static constexpr unsigned kRx =
      static_cast<unsigned>(defs::Engine::Rx);  // behind the last of DMA
  /// Lives as long as the process, like the names of sources.
  static std::set<std::string>& names() {
    static std::set<std::string> all;
    return all;
  }
  /// A stream or ring begins.
  struct Marker {
    InstrStream row;
    bool ring;
    std::optional<std::uint64_t> number;  ///< in its table
    std::string place;
    std::size_t segment;
  };

  /// The next word is the name of one of so many engines from `first`; which.
  static unsigned engine(TextScanner& in, unsigned first, unsigned engines);
  void segment(TextScanner& in);
  void marker(TextScanner& in, bool ring);
  void region(TextScanner& in);
  void partition(TextScanner& in);
  void request(TextScanner& in);
  void hex(TextScanner& in);
  template <class Packed>
  void packed(TextScanner& in, const Packed& packed, bool descriptor);
  /// `bytes` more of the open segment or request; `counted` by the open markers of a kind.
  std::uint8_t* append(TextScanner& in, std::uint64_t bytes, std::optional<bool> counted = {});
  void close(std::optional<bool> but = {});
  template <class Row>
  void place_table(bool rings, std::vector<Row>& table);

  std::filesystem::path file_;
  const std::string& name_;
  std::uint32_t number_ = 0;
  Program program_;
  std::vector<std::vector<std::uint32_t>> lines_;  ///< of each segment's units of 64 bytes
  std::vector<Marker> markers_;
  std::vector<std::size_t> open_;  ///< markers whose lines are counted
  bool fresh_ = true;              ///< nothing behind the last marker yet
  bool fed_ = false;               ///< the open lines are those of a request
  std::uint64_t data_ = 0;
  std::map<std::string, std::string, std::less<>> places_;  ///< of what validate_program names
};

}  // namespace cmodel
