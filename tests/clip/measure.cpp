// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <algorithm>
#include <cmath>

namespace ghostgrad::tests {

using at::Tensor;

Measured measure(const Subject& subject, const How& how) {
  clip::Clipper clipper(subject.parameters,
                        {.threshold = how.threshold, .method = how.method, .clip_function = how.clip_function, .groups = how.groups});
  auto sum = clipper.start(std::nullopt);
  Tensor norms;
  if (clipper.method().norm == clip::NormRoute::loop_forward) {
    const auto losses_of = [&](int64_t i) { return subject.losses(select(subject.batch, {i})); };
    norms = clipper.accumulate_each(subject.batch[0].size(0), losses_of, how.mask, sum);
  } else {
    norms = clipper.accumulate(subject.losses(subject.batch), how.mask, sum);
  }
  return {norms, sum.totals(), clipper.report(), clipper.nonfinite()};
}

Batch select(const Batch& batch, const std::vector<int64_t>& places) {
  Batch selected;
  for (const Tensor& tensor : batch) selected.push_back(tensor.index_select(0, at::tensor(places, at::kLong)));
  return selected;
}

Subject with_batch(const Subject& subject, Batch batch) { return {subject.parameters, std::move(batch), subject.losses}; }

double distance(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  double squared = 0;
  for (size_t i = 0; i < a.size(); ++i) squared += (a[i].to(at::kDouble) - b[i].to(at::kDouble)).square().sum().item<double>();
  return std::sqrt(squared);
}

std::vector<std::string> clipping_methods() {
  std::vector<std::string> names;
  for (const clip::Method& method : clip::methods()) {
    if (method.norm != clip::NormRoute::none) names.push_back(method.name);
  }
  return names;
}

bool runs_through_the_fallback(const Measured& measured) {
  return std::any_of(measured.calls.begin(), measured.calls.end(),
                     [](const clip::CallReport& call) { return call.label.find("fallback") != std::string::npos; });
}

}  // namespace ghostgrad::tests
