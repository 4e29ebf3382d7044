// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/model_file.h"

#include <string>
#include <unistd.h>

#include <gtest/gtest.h>
#include <torch/nn.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

class ModelFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "ghostgrad_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

torch::nn::Sequential network(uint64_t seed, int64_t width = 8) {
  torch::manual_seed(seed);
  return torch::nn::Sequential(torch::nn::Linear(4, width), torch::nn::Tanh(), torch::nn::Linear(width, 2));
}

TEST_F(ModelFile, GivesBackEveryParameter) {
  const auto saved = network(1);
  auto loaded = network(2);
  save_model(*saved, folder_ / "model.pt");
  load_model(*loaded, folder_ / "model.pt");
  for (const auto& item : saved->named_parameters())
    EXPECT_TRUE(at::equal(item.value(), loaded->named_parameters()[item.key()])) << item.key();
}

TEST_F(ModelFile, LeavesNothingButTheFinishedFile) {
  save_model(*network(1), folder_ / "model.pt");
  save_model(*network(2), folder_ / "model.pt");
  int64_t files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(ModelFile, RefusesADirectoryThatIsNotThere) {
  EXPECT_THROW(save_model(*network(1), folder_ / "no" / "model.pt"), base::SystemError);
}

TEST_F(ModelFile, RefusesAMissingATruncatedAndAnotherModelsFile) {
  auto model = network(1);
  EXPECT_THROW(load_model(*model, folder_ / "model.pt"), base::InvalidArgument);
  save_model(*network(1, 9), folder_ / "other.pt");
  EXPECT_THROW(load_model(*model, folder_ / "other.pt"), base::SystemError);
  save_model(*model, folder_ / "cut.pt");
  std::filesystem::resize_file(folder_ / "cut.pt", std::filesystem::file_size(folder_ / "cut.pt") / 2);
  EXPECT_THROW(load_model(*model, folder_ / "cut.pt"), base::SystemError);
}

}  // namespace
}  // namespace ghostgrad::engine
