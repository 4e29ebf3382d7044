// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/e2e.h"

#include <algorithm>
#include <array>
#include <memory>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/bytes.h"
#include "ghostgrad/data/csv.h"

namespace ghostgrad::data {
namespace {

constexpr std::string_view kSeparator = " || ";
constexpr std::string_view kArea = "area[";
constexpr std::array<std::string_view, 2> kAreas = {"city centre", "riverside"};

std::filesystem::path find_file(const std::filesystem::path& directory, const std::string& name, const std::string& published) {
  for (const auto& candidate : {directory / name, directory / published}) {
    if (is_file(candidate)) return candidate;
  }
  throw base::InvalidArgument((directory / name).string(), "there is no such file, and no " + published, "",
                              "an E2E directory holds trainset.csv and testset_w_refs.csv, or train.csv and test.csv");
}

struct Files {
  std::filesystem::path train, test;
  explicit Files(const std::filesystem::path& directory)
      : train(find_file(directory, "train.csv", "trainset.csv")), test(find_file(directory, "test.csv", "testset_w_refs.csv")) {}
};

std::vector<Pair> read_pairs(const std::filesystem::path& file) {
  std::vector<Pair> pairs;
  for (auto& row : read_csv(file, {"mr", "ref"})) pairs.push_back({row[0].append(kSeparator), row[1]});
  return pairs;
}

std::shared_ptr<Text> text_of(const TextOptions& options, const std::vector<Pair>& pairs) {
  std::vector<std::string_view> training;
  for (const auto& pair : pairs) {
    training.emplace_back(pair.prompt);
    training.emplace_back(pair.answer);
  }
  return std::make_shared<Text>(text_of(options, training));
}

// 0 where it does not say.
int64_t area_of(const Pair& pair, const std::string& file) {
  const auto start = pair.prompt.find(kArea);
  if (start == std::string::npos) return 0;
  for (std::size_t i = 0; i < kAreas.size(); ++i) {
    if (pair.prompt.compare(start + kArea.size(), kAreas[i].size(), kAreas[i]) == 0) return static_cast<int64_t>(i) + 1;
  }
  throw base::SystemError(file, "an area must be city centre or riverside", "another one", "take the published files");
}

Dataset to_areas(const std::filesystem::path& file, const Text& text, const std::string& name) {
  std::vector<std::string> sentences;
  std::vector<int64_t> areas;
  for (const auto& pair : read_pairs(file)) {
    sentences.push_back(pair.answer);
    areas.push_back(area_of(pair, file.string()));
  }
  Dataset dataset{to_rows(sentences, text), at::tensor(areas, at::kLong), static_cast<int64_t>(kAreas.size()) + 1, name};
  dataset.vocabulary = text.tokenizer.size();
  dataset.warnings = text.warnings;
  return dataset;
}

}  // namespace

Split e2e(const std::filesystem::path& directory, const TextOptions& options) {
  const Files files(directory);
  const auto train = read_pairs(files.train), test = read_pairs(files.test);
  const auto text = text_of(options, train);
  for (const auto& pair : test) {
    if (std::find(text->prompts.begin(), text->prompts.end(), pair.prompt) == text->prompts.end()) text->prompts.push_back(pair.prompt);
  }
  return {to_language(train, *text, "e2e/train"), to_language(test, *text, "e2e/test"), text};
}

Split e2e_area(const std::filesystem::path& directory, const TextOptions& options) {
  const Files files(directory);
  const auto text = text_of(options, read_pairs(files.train));
  return {to_areas(files.train, *text, "e2e_area/train"), to_areas(files.test, *text, "e2e_area/test"), text};
}

}  // namespace ghostgrad::data
