// SPDX-License-Identifier: Apache-2.0
#include "cli/train_files.h"

#include <fstream>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ghostgrad/base/error.h"
#include "ghostgrad/engine/model_file.h"

namespace ghostgrad::cli {
namespace {

const char* const kModel = "model.pt";
const char* const kSummary = "summary.json";

void make_directory(const std::filesystem::path& directory) {
  std::error_code wrong;
  std::filesystem::create_directories(directory, wrong);
  if (!wrong && access(directory.c_str(), W_OK) == 0) return;
  throw base::SystemError("out", fmt::format("cannot write to {}", directory.string()),
                          wrong ? wrong.message() : "a directory without permission to write", "pass a directory of your own");
}

}  // namespace

TrainFiles::TrainFiles(const std::filesystem::path& directory, bool force) : directory_(directory) {
  if (!wanted()) return;
  for (const char* name : {kModel, kSummary}) {
    if (!force && std::filesystem::exists(directory_ / name)) {
      throw base::InvalidArgument("out", "must not hold an earlier training", (directory_ / name).string(),
                                  "pass another directory, or --force to replace it");
    }
  }
  make_directory(directory_);
}

void TrainFiles::write(const torch::nn::Module& model, const nlohmann::json& summary) const {
  if (!wanted()) return;
  engine::save_model(model, directory_ / kModel);
  std::ofstream file(directory_ / kSummary);
  file << summary.dump(2) << '\n';
  file.close();
  if (!file) throw base::SystemError((directory_ / kSummary).string(), "cannot be written", "", "check that there is room");
}

std::string TrainFiles::in_words() const { return fmt::format("{}, {}", (directory_ / kModel).string(), (directory_ / kSummary).string()); }

}  // namespace ghostgrad::cli
