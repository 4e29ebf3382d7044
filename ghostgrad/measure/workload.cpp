// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/workload.h"

#include <map>

#include <ATen/Context.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/engine/task.h"

namespace ghostgrad::measure {
namespace {

constexpr int64_t kVocabulary = 8000, kPositions = 128;

int64_t usual_batch(const std::string& model) {
  static const std::map<std::string, int64_t> batches = {
      {"mlp", 128},       {"mlp_128_256", 128}, {"cnn", 64},         {"cnn_20_50", 64}, {"deep_cnn", 32},        {"rnn", 128},
      {"lstm", 128},      {"gru", 128},         {"transformer", 64}, {"vgg11", 16},     {"transformer_200", 64}, {"gpt", 16},
      {"gpt2_tiny", 16},  {"roberta_tiny", 16}, {"vit_base", 2},     {"beit_base", 2},  {"gpt2_small", 2},       {"roberta_base", 2},
      {"gpt2_medium", 1}, {"gpt2_large", 1}};
  const auto found = batches.find(model);
  return found == batches.end() ? 8 : found->second;
}

/// A size that somebody asks for; 0: the usual one.
struct Wanted {
  const char* name;
  int64_t size;
  bool model_has = true;
};

int64_t chosen(int64_t usual, const Wanted& wanted, std::string_view model) {
  if (wanted.size == 0) return usual;
  if (wanted.size < 0)
    throw base::InvalidArgument(wanted.name, "must be at least 1", fmt::to_string(wanted.size), "leave it out for the usual size");
  if (!wanted.model_has)
    throw base::InvalidArgument(wanted.name, "this model has none", std::string(model), "leave it out, or measure other models");
  return wanted.size;
}

UsualSizes sizes_of(const models::Architecture& architecture, const WorkloadOptions& wanted) {
  auto sizes = usual_sizes(architecture);
  const auto model = architecture.name;
  const bool images = architecture.input == models::Input::images, tokens = architecture.input == models::Input::tokens;
  auto& shape = sizes.options.input_shape;
  int64_t& vocabulary = architecture.task == base::Task::language_model ? sizes.options.classes : sizes.options.vocabulary;
  sizes.batch = chosen(sizes.batch, {"batch", wanted.batch}, model);
  shape.back() = chosen(shape.back(), {"side", wanted.side, images}, model);
  if (images) shape[1] = chosen(shape[1], {"side", wanted.side}, model);
  shape[0] = chosen(shape[0], {"positions", wanted.positions, tokens}, model);
  vocabulary = chosen(vocabulary, {"vocabulary", wanted.vocabulary, tokens}, model);
  return sizes;
}

std::vector<at::Tensor> random_batch(const models::Architecture& architecture, const UsualSizes& sizes, at::ScalarType dtype) {
  std::vector<int64_t> shape{sizes.batch};
  shape.insert(shape.end(), sizes.options.input_shape.begin(), sizes.options.input_shape.end());
  const bool writes = architecture.task == base::Task::language_model;
  const int64_t tokens = writes ? sizes.options.classes : sizes.options.vocabulary;
  const at::Tensor inputs = architecture.input == models::Input::tokens ? at::randint(tokens, shape, at::kLong)
                                                                        : at::randn(shape).to(dtype);  // the same numbers in each
  return {inputs, at::randint(sizes.options.classes, writes ? shape : std::vector<int64_t>{sizes.batch}, at::kLong)};
}

}  // namespace

UsualSizes usual_sizes(const models::Architecture& architecture) {
  UsualSizes sizes{usual_batch(std::string(architecture.name)), architecture.usual};
  if (architecture.input == models::Input::tokens) {
    sizes.options.input_shape = {kPositions};
    if (architecture.name == "gpt") sizes.options.classes = kVocabulary;  // so that the head weighs what it weighs in practice
  }
  return sizes;
}

Workload make_workload(const std::string& name, const WorkloadOptions& options) {
  const auto& architecture = models::find(name);
  const auto sizes = sizes_of(architecture, options);
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_current_seed(7);
  const auto model = architecture.make(sizes.options);
  model->to(options.dtype);
  const auto losses_of = engine::row_of(architecture.task).losses;
  Workload workload;
  workload.model = name;
  workload.what = fmt::format("{} of {}", name, fmt::join(sizes.options.input_shape, "x"));
  workload.examples = sizes.batch;
  workload.parameters = model->parameters();
  workload.batch = random_batch(architecture, sizes, options.dtype);
  workload.losses = [model, losses_of](const std::vector<at::Tensor>& batch) { return losses_of(model->forward(batch[0]), batch[1]); };
  return workload;
}

void check_sizes(const std::vector<std::string>& models, const WorkloadOptions& options) {
  for (const std::string& model : models) (void)make_workload(model, options);
}

}  // namespace ghostgrad::measure
