// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/plan.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/clip_function.h"
#include "ghostgrad/clip/groups.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/privacy/accountants.h"

namespace ghostgrad::engine {
namespace {

void require(bool holds, base::Complaint complaint) {
  if (!holds) throw base::InvalidArgument(std::move(complaint));
}

void check_numbers(const PlanOptions& options) {
  require(options.noise_multiplier >= 0 && std::isfinite(options.noise_multiplier),
          {"noise_multiplier", "must be set to a finite number, 0 or more", fmt::to_string(options.noise_multiplier),
           "pass e.g. 1.1, or find one with `ghostgrad calibrate`; 0 trains without privacy"});
  require(options.expected_batch_size > 0 && std::isfinite(options.expected_batch_size),
          {"expected_batch_size", "must be set to a positive number", fmt::to_string(options.expected_batch_size),
           "pass sample_rate * data set size"});
  require(
      !options.sample_rate || (*options.sample_rate > 0 && *options.sample_rate <= 1),
      {"sample_rate", "must lie in (0, 1]", fmt::to_string(options.sample_rate.value_or(0)), "pass expected batch size / data set size"});
  require(!options.positions || (*options.positions >= 1 && std::isfinite(*options.positions)),
          {"positions", "must be at least 1", options.positions ? fmt::to_string(*options.positions) : "none",
           "pass the most tokens or pixels that a layer sees of one example, or nothing"});
  require(options.performance.keep_bytes >= 0,
          {"keep_bytes", "must not be negative", fmt::to_string(options.performance.keep_bytes), "pass a number of bytes"});
}

void check_names(const PlanOptions& options) {
  const auto& method = clip::find_method(options.method);
  (void)clip::constant_of(clip::find_clip_function(options.clip_function), options.clip_constant);
  (void)privacy::make_accountant(options.accountant);
  if (options.independence != "graph" && options.independence != "assumed") {
    throw base::InvalidArgument("independence", "must be graph or assumed", '"' + options.independence + '"',
                                "use graph, and run check_independence where it asks for it");
  }
  if (method.norm == clip::NormRoute::none && options.noise_multiplier > 0) {
    throw base::InvalidArgument("method", "non_private does not clip, so noise gives no privacy; the noise multiplier must be 0",
                                fmt::to_string(options.noise_multiplier), "choose another method or set noise_multiplier to 0");
  }
}

void check_adaptive(const PlanOptions& options) {
  if (!options.adaptive_clipping) return;
  (void)split_noise(*options.adaptive_clipping, options.noise_multiplier, options.expected_batch_size);
  if (options.groups == "flat" && clip::find_method(options.method).norm != clip::NormRoute::none) return;
  throw base::InvalidArgument("adaptive_clipping", "needs one threshold for all parameters, and a method that clips",
                              "groups " + options.groups + ", method " + options.method, "use groups flat and e.g. method auto");
}

}  // namespace

Plan::Plan(PlanOptions options) : options_(std::move(options)) {
  options_.clip = clip::threshold_of(options_.groups, options_.clip);
  check_numbers(options_);
  check_names(options_);
  check_adaptive(options_);
}

privacy::Event Plan::event() const {
  if (!options_.sample_rate) {
    throw base::InvalidArgument("sample_rate", "is needed to account for privacy, and the plan has none", "",
                                "set sample_rate to the q of your Poisson sampler");
  }
  if (clip::find_method(options_.method).norm == clip::NormRoute::none) return privacy::non_private();
  return privacy::poisson_sampled(*options_.sample_rate, privacy::gaussian(options_.noise_multiplier));
}

std::vector<std::string> Plan::warnings() const {
  if (clip::find_method(options_.method).sum != clip::SumRoute::second_backward) return {};
  return {
      fmt::format("method {}: no norm bounds how a second backward rounds gradients that are huge and cancel on their way to a "
                  "parameter, so that crafted data may move a sum by more than C; auto and bk hold there",
                  options_.method)};
}

}  // namespace ghostgrad::engine
