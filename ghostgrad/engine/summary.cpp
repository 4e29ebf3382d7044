// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/summary.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ghostgrad::engine {
namespace {

nlohmann::json finite_or_text(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json("infinity"); }

}  // namespace

nlohmann::json to_json(const Summary& summary) {
  nlohmann::json json = privacy::to_json(summary.statement);
  json["method"] = summary.report.method;
  json["calls_by_rule"] = summary.report.by_rule;
  json["parameters_without_gradient"] = summary.report.unreached;
  json[fmt::format("test_{}", summary.test.metric)] = summary.test.value ? finite_or_text(*summary.test.value) : nlohmann::json();
  json["planned_steps"] = summary.planned_steps;
  json["planned_epsilon"] = finite_or_text(summary.planned_epsilon);
  json["clip"] = summary.clip;
  json["final_clip"] = summary.final_clip;
  json["interrupted"] = summary.interrupted;
  json["seconds"] = summary.seconds;
  json["examples_per_second"] = summary.examples_per_second;
  return json;
}

}  // namespace ghostgrad::engine
