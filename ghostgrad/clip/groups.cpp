// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/clip/groups.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::clip {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string module_of(const std::string& parameter) {
  const size_t dot = parameter.rfind('.');
  return dot == std::string::npos ? parameter : parameter.substr(0, dot);
}

bool is_number(const std::string& text) { return !text.empty() && std::all_of(text.begin(), text.end(), ::isdigit); }

bool is_numbered(const std::string& text) { return !text.empty() && ::isdigit(static_cast<unsigned char>(text.back())) != 0; }

/// The name up to its first part that `is_block`, if a module follows it.
std::string up_to(const std::string& parameter, bool (*is_block)(const std::string& part)) {
  std::string prefix;
  const size_t module = module_of(parameter).size();
  for (const std::string& part : split(parameter, '.')) {
    prefix += (prefix.empty() ? "" : ".") + part;
    if (is_block(part) && prefix.size() <= module) return prefix;
  }
  return "";
}

/// "encoder.layers.3" of a list of modules, or else "block3" of modules with numbered names.
std::string block_of(const std::string& parameter) {
  for (const auto is_block : {is_number, is_numbered}) {
    if (std::string block = up_to(parameter, is_block); !block.empty()) return block;
  }
  return module_of(parameter);
}

std::string itself(const std::string& parameter) { return parameter; }
std::string everything(const std::string&) { return "all parameters"; }

using KeyOf = std::string (*)(const std::string& parameter);

KeyOf find_key(const std::string& spec) {
  if (spec == "flat") return everything;
  if (spec == "per_layer") return module_of;
  if (spec == "per_block") return block_of;
  return spec == "per_parameter" ? itself : nullptr;
}

Groups by_key(KeyOf key_of, const std::vector<std::string>& parameters, double threshold) {
  Groups groups;
  for (const std::string& parameter : parameters) {
    const std::string key = key_of(parameter);
    const auto at = std::find(groups.names.begin(), groups.names.end(), key);
    groups.of_parameter.push_back(static_cast<int>(at - groups.names.begin()));
    if (at == groups.names.end()) groups.names.push_back(key);
  }
  groups.thresholds.assign(groups.names.size(), threshold / std::sqrt(static_cast<double>(groups.names.size())));
  return groups;
}

/// "encoder=0.5"
void add_prefix(const std::string& part, Groups& groups) {
  const size_t equals = part.rfind('=');
  const char* const value = part.c_str() + (equals == std::string::npos ? part.size() : equals + 1);
  char* end = nullptr;
  const double threshold = std::strtod(value, &end);
  if (equals == std::string::npos || end == value || *end != '\0' || !(threshold > 0 && std::isfinite(threshold))) {
    throw base::InvalidArgument("groups", "must be flat, per_layer, per_block, per_parameter, or PREFIX=THRESHOLD,...", '"' + part + '"',
                                "write e.g. encoder=0.5,head=1 with positive thresholds");
  }
  const std::string prefix = part.substr(0, equals);
  if (std::find(groups.names.begin(), groups.names.end(), prefix) != groups.names.end()) {
    throw base::InvalidArgument("groups", "must name each prefix once", '"' + prefix + "\" twice", "leave out one of them");
  }
  groups.names.push_back(prefix);
  groups.thresholds.push_back(threshold);
}

bool fits(const std::string& prefix, const std::string& parameter) {
  return prefix.empty() || (parameter.rfind(prefix, 0) == 0 && (parameter.size() == prefix.size() || parameter[prefix.size()] == '.'));
}

int longest_fit(const Groups& groups, const std::string& parameter) {
  int best = -1;
  for (int g = 0; g < groups.count(); ++g) {
    if (fits(groups.names[g], parameter) && (best < 0 || groups.names[g].size() > groups.names[best].size())) best = g;
  }
  return best;
}

/// "the names begin with encoder, head"
std::string beginnings_of(const std::vector<std::string>& parameters) {
  std::vector<std::string> modules;
  for (const std::string& parameter : parameters) {
    const std::string module = parameter.substr(0, parameter.find('.'));
    if (std::find(modules.begin(), modules.end(), module) == modules.end()) modules.push_back(module);
  }
  return fmt::format("the names begin with {}", fmt::join(modules, ", "));
}

Groups by_prefix(const std::string& spec, const std::vector<std::string>& parameters) {
  Groups groups;
  for (const std::string& part : split(spec, ',')) add_prefix(part, groups);
  std::vector<char> used(groups.names.size(), 0);
  for (const std::string& parameter : parameters) {
    const int group = longest_fit(groups, parameter);
    if (group < 0) {
      throw base::InvalidArgument("groups", "must cover every parameter", parameter + " in none",
                                  "add a prefix for it, or \"=C\" for the rest: " + beginnings_of(parameters));
    }
    groups.of_parameter.push_back(group);
    used[group] = 1;
  }
  const auto unused = std::find(used.begin(), used.end(), 0);
  if (unused != used.end()) {
    throw base::InvalidArgument("groups", "must each hold a parameter", '"' + groups.names[unused - used.begin()] + "\" without any",
                                "use names of parameters, whole or up to a dot: " + beginnings_of(parameters));
  }
  return groups;
}

}  // namespace

double Groups::sensitivity() const {
  if (count() == 1) return thresholds[0];
  double squares = 0;
  for (double threshold : thresholds) squares += threshold * threshold;
  return std::sqrt(squares);
}

Groups Groups::scaled_to(double wanted) const {
  Groups scaled = *this;
  for (double& threshold : scaled.thresholds) threshold *= wanted / sensitivity();
  return scaled;
}

Groups one_group(size_t parameters, double threshold) { return {{"all parameters"}, {threshold}, std::vector<int>(parameters, 0)}; }

bool gives_thresholds(const std::string& spec) { return spec.find('=') != std::string::npos; }

std::optional<double> threshold_of(const std::string& spec, std::optional<double> given) {
  if (!given) return gives_thresholds(spec) ? std::nullopt : std::optional(kUsualThreshold);
  if (!(*given > 0 && std::isfinite(*given))) {
    throw base::InvalidArgument("clip", "must be a positive number", fmt::to_string(*given),
                                "pass the norm that gradients are clipped to, e.g. 1.0");
  }
  if (gives_thresholds(spec)) {
    throw base::InvalidArgument("clip", "has no effect beside groups that give their own thresholds",
                                fmt::format("{} and groups \"{}\"", *given, spec), "leave out one of them");
  }
  return given;
}

Groups make_groups(const std::string& spec, const std::vector<std::string>& parameters, std::optional<double> threshold) {
  threshold = threshold_of(spec, threshold);
  const KeyOf key_of = find_key(spec);
  if (!key_of && spec.empty()) throw base::InvalidArgument("groups", "must not be empty", "\"\"", "use flat for one group");
  return key_of ? by_key(key_of, parameters, *threshold) : by_prefix(spec, parameters);
}

}  // namespace ghostgrad::clip
