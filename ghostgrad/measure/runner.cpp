// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/measure/runner.h"

#include <chrono>

namespace ghostgrad::measure {
namespace {

constexpr double kSigma = 1.0, kThreshold = 1.0;

}  // namespace

Runner::Runner(const Workload& workload, const std::string& method, int64_t keep_bytes)
    : workload_(workload), clipper_(workload.parameters, {.threshold = kThreshold, .method = method, .keep_bytes = keep_bytes}) {
  for (const at::Tensor& parameter : workload.parameters) dimension_ += parameter.numel();
}

void Runner::step() {
  if (method().norm != clip::NormRoute::none) {
    if (!sum_) sum_.emplace(clipper_.start(noise::make_lattice(kSigma, kThreshold, dimension_)));
    return accumulate(*sum_);
  }
  for (const at::Tensor& parameter : workload_.parameters) parameter.mutable_grad().reset();
  workload_.losses(workload_.batch).sum().backward();
}

double Runner::timed_step() {
  const auto start = std::chrono::steady_clock::now();
  step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<at::Tensor> Runner::exact_sum() {
  auto sum = clipper_.start(std::nullopt);
  accumulate(sum);
  return sum.totals();
}

std::vector<rules::Cost> Runner::costs() {
  std::vector<rules::Cost> costs;
  for (const auto& bundle : clipper_.norms(workload_.losses(workload_.batch), {}).bundles) costs.push_back(bundle->cost());
  return costs;
}

void Runner::accumulate(clip::ClippedSum& sum) {
  if (method().norm != clip::NormRoute::loop_forward) {
    (void)clipper_.accumulate(workload_.losses(workload_.batch), {}, sum);
    return;
  }
  const auto losses_of = [&](int64_t example) {
    std::vector<at::Tensor> one;
    for (const at::Tensor& tensor : workload_.batch) one.push_back(tensor.narrow(0, example, 1));
    return workload_.losses(one);
  };
  (void)clipper_.accumulate_each(workload_.examples, losses_of, {}, sum);
}

}  // namespace ghostgrad::measure
