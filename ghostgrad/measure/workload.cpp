// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/workload.h"

#include <ATen/Context.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/models/deep_cnn.h"
#include "ghostgrad/models/gpt.h"
#include "ghostgrad/models/mlp.h"

namespace ghostgrad::measure {
namespace {

constexpr int64_t kVocabulary = 8000, kPositions = 128;

at::Tensor image_losses(models::Model& model, const std::vector<at::Tensor>& batch) {
  return at::cross_entropy_loss(model.forward(batch[0]), batch[1], {}, at::Reduction::None);
}

/// Each sequence's own mean over its positions.
at::Tensor token_losses(models::Model& model, const std::vector<at::Tensor>& batch) {
  const at::Tensor logits = model.forward(batch[0]);
  const at::Tensor flat = at::cross_entropy_loss(logits.reshape({-1, logits.size(-1)}), batch[1].reshape({-1}), {}, at::Reduction::None);
  return flat.view(batch[1].sizes()).mean(1);
}

Workload around(std::shared_ptr<models::Model> model, at::ScalarType dtype) {
  model->to(dtype);
  Workload workload;
  workload.parameters = model->parameters();
  workload.losses = [model](const std::vector<at::Tensor>& batch) { return image_losses(*model, batch); };
  return workload;
}

Workload mlp(const WorkloadOptions& options) {
  Workload workload = around(std::make_shared<models::Mlp>(models::MlpOptions{}), options.dtype);
  workload.batch = {at::randn({options.batch, 784}, options.dtype), at::randint(10, {options.batch}, at::kLong)};
  return workload;
}

Workload cnn(const WorkloadOptions& options) {
  Workload workload = around(std::make_shared<models::DeepCnn>(models::DeepCnnOptions{}), options.dtype);
  workload.batch = {at::randn({options.batch, 3, 32, 32}, options.dtype), at::randint(10, {options.batch}, at::kLong)};
  return workload;
}

Workload transformer(const WorkloadOptions& options) {
  auto model = std::make_shared<models::Gpt>(models::GptOptions{.vocabulary = kVocabulary, .positions = kPositions});
  Workload workload = around(model, options.dtype);
  workload.losses = [model](const std::vector<at::Tensor>& batch) { return token_losses(*model, batch); };
  workload.batch = {at::randint(kVocabulary, {options.batch, kPositions}, at::kLong),
                    at::randint(kVocabulary, {options.batch, kPositions}, at::kLong)};
  return workload;
}

}  // namespace

const std::vector<WorkloadRow>& workloads() {
  static const std::vector<WorkloadRow> rows = {{"mlp", "MLP 784-512-256-10", 128},
                                                {"cnn", "six convolutions 32-128 with group norm, 3x32x32", 32},
                                                {"transformer", "GPT, width 256, 4 layers, 8000 tokens, 128 positions", 16}};
  return rows;
}

Workload make_workload(const std::string& name, const WorkloadOptions& options) {
  std::vector<std::string> names;
  for (const WorkloadRow& row : workloads()) {
    names.push_back(row.name);
    if (row.name != name) continue;
    WorkloadOptions chosen = options;
    if (chosen.batch == 0) chosen.batch = row.batch;
    at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    generator.set_current_seed(7);
    Workload workload = name == "mlp" ? mlp(chosen) : name == "cnn" ? cnn(chosen) : transformer(chosen);
    workload.name = name;
    workload.what = fmt::format("{}, B {}", row.what, chosen.batch);
    return workload;
  }
  throw base::InvalidArgument("model", "must be the name of a workload", '"' + name + '"',
                              fmt::format("choose one of {}", fmt::join(names, ", ")));
}

}  // namespace ghostgrad::measure
