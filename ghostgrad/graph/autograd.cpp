// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/autograd.h"

#include <cstring>
#include <typeinfo>

namespace ghostgrad::graph {

std::string short_name(const Node& node) {
  std::string name = node.name();
  const auto colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(colon + 1);
}

bool is_native(const Node& node) {
  const char* type = typeid(node).name();  // mangled: the nested names carry their lengths
  return std::strstr(type, "5torch8autograd9generated") != nullptr || std::strstr(type, "5torch8autograd10CopySlices") != nullptr ||
         std::strstr(type, "5torch8autograd13CopyBackwards") != nullptr;
}

}  // namespace ghostgrad::graph
