// SPDX-License-Identifier: Apache-2.0
// Who waits for whom when nothing moves: engines and semaphores, channels and credits.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cmodel/program/program.h"
#include "tb/board/board.h"

namespace tb {

/// Nodes are named as in reports; an edge leads from who waits to what could end it.
///
///   engine ----> semaphore that it waits for ----> engines whose program still raises it
///   DMA engine that was not triggered ----> the Sync engine that would
///   buffer of a link ----> channel that its first packet needs ----> buffer behind that link
///
/// An engine's wait needs all that its semaphore lacks, so a cycle is a deadlock.
class WaitGraph {
 public:
  struct Edge {
    std::string to, why;
  };
  /// Of a stalled board.
  WaitGraph(const Board& board, const cmodel::Program& program);

  const std::map<std::string, std::vector<Edge>>& edges() const { return edges_; }
  /// The first cycle found, its first node repeated at the end; empty if there is none.
  std::vector<std::string> cycle() const;
  /// Nodes that somebody waits for and from which nothing leads on: a semaphore that nobody gives,
  /// an engine that has stopped.
  std::vector<std::string> dead_ends() const;

  std::string text() const;
  nlohmann::ordered_json json() const;

 private:
  void add(const std::string& from, std::string to, std::string why);
  void sequencers(const Board& board, const cmodel::Program& program, unsigned chip);
  void producers(const Board& board, const cmodel::Program& program, unsigned chip, unsigned sem);
  void untriggered(const Board& board, const cmodel::Program& program, unsigned chip, unsigned core,
                   unsigned engine);
  void channels(const Board& board, unsigned chip);

  std::map<std::string, std::vector<Edge>> edges_;
  std::map<std::string, std::string> state_;  ///< of a node, for the report
};

}  // namespace tb
