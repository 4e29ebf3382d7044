// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/base/error.h"

#include <utility>

namespace ghostgrad::base {

std::string to_string(const Complaint& complaint) {
  std::string text = "[" + complaint.where + "] " + complaint.wrong;
  if (!complaint.got.empty()) text += ", but got " + complaint.got;
  if (!complaint.remedy.empty()) text += "; " + complaint.remedy;
  return text;
}

Error::Error(Complaint complaint) : std::runtime_error(to_string(complaint)), complaint_(std::move(complaint)) {}

Error::Error(std::string where, std::string wrong, std::string got, std::string remedy)
    : Error(Complaint{std::move(where), std::move(wrong), std::move(got), std::move(remedy)}) {}

}  // namespace ghostgrad::base
