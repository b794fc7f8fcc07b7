// SPDX-License-Identifier: Apache-2.0
// Reads board files and table sets: a keyword and its words per line, # comments.
#pragma once
#include <string>
#include <vector>

#include "fabric/model/board.h"

namespace fabric {

/// What is in a file. Throws BadInput if it cannot be read, or is no file of this kind: too long.
std::string read_text(const std::string& file);

/// Everything it throws is BadInput "FILE:LINE: KEY: what is wrong, what is allowed".
class LineReader {
 public:
  LineReader(const std::string& text, std::string where);

  /// `chips`, `ports` and all `cable` lines, in that order.
  Board board();

  /// Goes to the next line; false at the end.
  bool next();
  const std::string& key() const { return words_.front(); }
  /// Words behind the key.
  unsigned count() const { return static_cast<unsigned>(words_.size() - 1); }
  const std::string& word(unsigned index) const { return words_[index + 1]; }
  /// Rejects the line unless it has so many words behind the key.
  void expect(unsigned words, const char* form) const;
  unsigned number(unsigned index, unsigned below) const;
  unsigned number(const std::string& word, unsigned below) const;
  End end(unsigned index) const;
  /// Rejects the file if there is another line.
  void end();
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  std::vector<std::string> lines_;
  std::string where_;
  unsigned line_ = 0;   ///< of words_, from 1
  unsigned ahead_ = 0;  ///< index of the next line to read
  std::vector<std::string> words_;
};

}  // namespace fabric
