// SPDX-License-Identifier: Apache-2.0
// The three ways in which ghostgrad refuses, each with a remedy.
//
// Every message reads `[where] what is wrong, but got <value>; <what to do>`:
//
//     throw base::InvalidArgument("sample_rate", "must lie in (0, 1]", fmt::to_string(q), "pass batch size / data set size");
//     // [sample_rate] must lie in (0, 1], but got 1.5; pass batch size / data set size
//
// Guarantee: no message carries a per-example value (a loss, a norm, a label, a pixel).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace ghostgrad::base {

/// The parts of a message; `got` may be empty when there is no value to show.
struct Complaint {
  std::string where;
  std::string wrong;
  std::string got;
  std::string remedy;
};

[[nodiscard]] std::string to_string(const Complaint& complaint);

/// Everything ghostgrad throws on purpose.
class Error : public std::runtime_error {
 public:
  explicit Error(Complaint complaint);
  Error(std::string where, std::string wrong, std::string got, std::string remedy);
  [[nodiscard]] const Complaint& complaint() const noexcept { return complaint_; }

 private:
  Complaint complaint_;
};

/// A value that the caller gave is wrong. Python: ValueError. Command line: exit 2.
class InvalidArgument : public Error {
  using Error::Error;
};

/// The value is fine but nothing here can serve it. Python: NotImplementedError. Command line: exit 1.
class Unsupported : public Error {
  using Error::Error;
};

/// Going on would void the guarantee. Python: ghostgrad.PrivacyError. Command line: exit 3.
class PrivacyError : public Error {
  using Error::Error;
};

/// The world outside failed: a file, the operating system. Python: OSError. Command line: exit 1.
class SystemError : public Error {
  using Error::Error;
};

}  // namespace ghostgrad::base
