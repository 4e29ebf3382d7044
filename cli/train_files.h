// SPDX-License-Identifier: Apache-2.0
// What a training leaves in --out DIR: model.pt (engine/model_file.h) and summary.json.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>
#include <torch/nn/module.h>

namespace ghostgrad::cli {

class TrainFiles {
 public:
  /// Before anything is trained: makes the directory and looks for what would be overwritten. No directory, no files.
  /// Errors: InvalidArgument for files that are there already, unless forced; SystemError for a directory that cannot be made.
  TrainFiles(const std::filesystem::path& directory, bool force);

  [[nodiscard]] bool wanted() const { return !directory_.empty(); }
  void write(const torch::nn::Module& model, const nlohmann::json& summary) const;
  [[nodiscard]] std::string in_words() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace ghostgrad::cli
