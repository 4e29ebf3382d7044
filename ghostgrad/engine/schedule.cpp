// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/schedule.h"

#include <fmt/format.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/clip/clip_function.h"
#include "ghostgrad/clip/groups.h"
#include "ghostgrad/clip/method.h"
#include "ghostgrad/privacy/accountants.h"
#include "ghostgrad/privacy/calibration.h"
#include "ghostgrad/privacy/checks.h"

namespace ghostgrad::engine {
namespace {

void require(bool holds, const base::Complaint& complaint) {
  if (!holds) throw base::InvalidArgument(complaint);
}

void check_budget(const TrainerOptions& options) {
  require(options.epsilon || options.noise_multiplier,
          {"epsilon", "or noise_multiplier must be given", "neither",
           "pass the privacy budget, e.g. epsilon 3, or noise_multiplier 0 to train without privacy"});
  require(!(options.epsilon && options.noise_multiplier),
          {"epsilon", "and noise_multiplier exclude one another", "both", "pass epsilon alone to have the noise found for it"});
  if (options.noise_multiplier) privacy::checked_noise_multiplier(*options.noise_multiplier);
  privacy::checked_delta(options.delta);
  (void)privacy::make_accountant(options.accountant);
}

void check_count(const char* option, int64_t value, const char* remedy) {
  require(value >= 1, {option, "must be at least 1", fmt::to_string(value), remedy});
}

bool is_private(const TrainerOptions& options) { return clip::find_method(options.method).norm != clip::NormRoute::none; }

int64_t steps_of(const TrainerOptions& options, int64_t data_set_size) {
  const int64_t examples = privacy::checked_product(options.epochs, data_set_size);
  return examples / options.batch + (examples % options.batch != 0);
}

}  // namespace

void check(const TrainerOptions& options) {
  check_budget(options);
  (void)clip::threshold_of(options.groups, options.clip);
  (void)clip::constant_of(clip::find_clip_function(options.clip_function), options.clip_constant);
  check_count("batch", options.batch, "pass the expected number of examples per release, e.g. 256");
  check_count("physical_batch", options.physical_batch, "pass how many examples fit in memory, e.g. 64");
  check_count("epochs", options.epochs, "pass e.g. 10");
  require(is_private(options) || options.noise_multiplier == 0.0,
          {"method", "non_private does not clip, so no noise makes it private", fmt::format("{} with a privacy budget", options.method),
           "choose another method, or set noise_multiplier to 0"});
  require(!options.keep_bytes || clip::find_method(options.method).norm == clip::NormRoute::measured,
          {"keep_bytes", "has no effect but on method auto", "method " + options.method, "leave it out, or choose method auto"});
  check(options.optimizer);
}

Schedule make_schedule(const TrainerOptions& options, int64_t data_set_size) {
  check(options);
  require(options.batch <= data_set_size,
          {"batch", fmt::format("must not exceed the {} examples of the data set: the sample rate batch / N lies in (0, 1]", data_set_size),
           fmt::to_string(options.batch), "pass a smaller batch"});
  Schedule schedule;
  schedule.sample_rate = static_cast<double>(options.batch) / static_cast<double>(data_set_size);
  schedule.steps = steps_of(options, data_set_size);
  privacy::PrivacyStatement& planned = schedule.planned;
  if (options.epsilon) {
    const auto found = privacy::calibrate_noise({*options.epsilon, options.delta, schedule.sample_rate, schedule.steps},
                                                [&] { return privacy::make_accountant(options.accountant); });
    schedule.noise_multiplier = found.noise_multiplier;
    planned.warnings = found.warnings;
  } else {
    schedule.noise_multiplier = *options.noise_multiplier;
  }
  const auto accountant = privacy::make_accountant(options.accountant);
  accountant->compose(privacy::poisson_sampled(schedule.sample_rate, privacy::gaussian(schedule.noise_multiplier)), schedule.steps);
  const auto bound = accountant->epsilon(options.delta);
  if (!options.epsilon) planned.warnings = bound.warnings;
  planned.epsilon = bound.value;
  planned.delta = options.delta;
  planned.adjacency = accountant->adjacency();
  planned.accountant = options.accountant;
  planned.noise_multiplier = schedule.noise_multiplier;
  planned.sample_rate = schedule.sample_rate;
  planned.steps = schedule.steps;
  planned.noise_is_private = true;
  planned.independence = privacy::Independence::audited;  // the trainer does not begin otherwise
  planned.data_set_size = data_set_size;
  return schedule;
}

}  // namespace ghostgrad::engine
