// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

namespace ghostgrad::cli {
namespace {

/// The value of the first line of /proc/cpuinfo with this name, where the system tells.
std::string first_of(std::string_view name) {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(':');
    if (line.rfind(name, 0) == 0 && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return {};
}

nlohmann::ordered_json instruction_sets() {
  constexpr std::array<std::string_view, 12> kNamed = {"avx",         "avx2",     "fma",      "avx512f", "avx512bw", "avx512_vnni",
                                                       "avx512_bf16", "amx_tile", "amx_bf16", "asimd",   "sve",      "bf16"};
  auto found = nlohmann::ordered_json::array();
  std::istringstream flags(first_of("flags") + ' ' + first_of("Features"));
  for (std::string flag; flags >> flag;) {
    if (std::find(kNamed.begin(), kNamed.end(), flag) != kNamed.end()) found.push_back(flag);
  }
  return found;
}

}  // namespace

nlohmann::ordered_json machine() {
  const std::string name = first_of("model name");
  return {{"processor", name.empty() ? "unknown" : name}, {"cores", std::thread::hardware_concurrency()}, {"isa", instruction_sets()}};
}

}  // namespace ghostgrad::cli
