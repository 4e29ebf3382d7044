// SPDX-License-Identifier: Apache-2.0
// The options of `ghostgrad train`; what they mean and may be is in engine/schedule.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <nlohmann/json_fwd.hpp>

#include "ghostgrad/data/text.h"
#include "ghostgrad/engine/schedule.h"

namespace ghostgrad::cli {

constexpr int64_t kUsualSamples = 3;

struct TrainCommandOptions {
  std::string data = "digits";
  data::TextOptions text;
  std::string model = "cnn";
  engine::TrainerOptions trainer;
  uint64_t seed = 1;  // of the initial parameters; never of noise or sampling
  std::optional<int> threads{};
  std::optional<int64_t> samples{};  // of what a language model writes; kUsualSamples
  std::string out;                   // no files when empty
  bool force = false;
  bool json = false;
  bool quiet = false;
};

void add_train_options(CLI::App& app, TrainCommandOptions& options);

/// The options that a summary does not state by itself.
[[nodiscard]] nlohmann::json as_json(const TrainCommandOptions& options, double noise_multiplier);

}  // namespace ghostgrad::cli
