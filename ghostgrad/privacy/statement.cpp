// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/statement.h"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ghostgrad::privacy {
namespace {

std::string_view in_words(Independence independence) {
  switch (independence) {
    case Independence::audited:
      return "checked on a batch of this run: replacing some examples moved no other example's loss or gradient";
    case Independence::assumed:
      return "assumed by the user, not checked";
    case Independence::not_audited:
      return "not checked";
  }
  return "not checked";
}

}  // namespace

std::string_view to_text(Independence independence) {
  switch (independence) {
    case Independence::audited:
      return "audited";
    case Independence::assumed:
      return "assumed";
    case Independence::not_audited:
      return "not audited";
  }
  return "not audited";
}

std::string rounded_up(double value) {
  auto text = fmt::format("{:.4g}", value);
  if (std::strtod(text.c_str(), nullptr) >= value) return text;  // stod throws below 2.2e-308
  const double last_digit = std::pow(10.0, std::floor(std::log10(value)) - 3);
  return fmt::format("{:.4g}", value + last_digit);
}

bool promises_privacy(const PrivacyStatement& statement) { return statement.noise_is_private && std::isfinite(statement.epsilon); }

std::vector<std::string> all_warnings(const PrivacyStatement& statement) {
  auto warnings = statement.warnings;
  const auto size = statement.data_set_size;
  if (size && *size > 0 && statement.delta >= 1.0 / static_cast<double>(*size)) {
    warnings.push_back(fmt::format("delta {} is not below 1 / data set size = {:.3g}: publishing a whole example could be within it",
                                   statement.delta, 1.0 / static_cast<double>(*size)));
  }
  if (statement.independence != Independence::audited) {
    warnings.emplace_back("the promise holds only if no example's loss depends on other examples; run the independence check");
  }
  return warnings;
}

std::string to_text(const PrivacyStatement& statement) {
  std::string text;
  if (!statement.noise_is_private) text += "NOT PRIVATE: test key (its noise can be recomputed by anybody)\n";
  if (!std::isfinite(statement.epsilon)) text += "NOT PRIVATE: epsilon is infinite\n";
  text += fmt::format("({}, {})-differential privacy under {}, by the {} accountant\n", rounded_up(statement.epsilon), statement.delta,
                      in_words(statement.adjacency), statement.accountant);
  text +=
      fmt::format("{} releases, noise multiplier {}, sample rate {}\n", statement.steps, statement.noise_multiplier, statement.sample_rate);
  text += fmt::format("independence of examples: {}\n", in_words(statement.independence));
  for (const auto& warning : all_warnings(statement)) text += "warning: " + warning + "\n";
  return text;
}

nlohmann::json to_json(const PrivacyStatement& statement) {
  nlohmann::json json = {{"private", promises_privacy(statement)},
                         {"delta", statement.delta},
                         {"adjacency", to_text(statement.adjacency)},
                         {"accountant", statement.accountant},
                         {"noise_multiplier", statement.noise_multiplier},
                         {"sample_rate", statement.sample_rate},
                         {"steps", statement.steps},
                         {"noise_key", statement.noise_is_private ? "private" : "NOT PRIVATE: test key"},
                         {"independence", to_text(statement.independence)},
                         {"warnings", all_warnings(statement)}};
  // JSON has no infinity, and null could be read as 0.
  if (std::isfinite(statement.epsilon)) {
    json["epsilon"] = statement.epsilon;
  } else {
    json["epsilon"] = "infinity";
  }
  if (statement.data_set_size) json["data_set_size"] = *statement.data_set_size;
  return json;
}

}  // namespace ghostgrad::privacy
