// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/data/open.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/ranges.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/cifar10.h"
#include "ghostgrad/data/digits.h"
#include "ghostgrad/data/e2e.h"
#include "ghostgrad/data/mnist.h"

namespace ghostgrad::data {
namespace {

const std::array<Source, 5> kSources{{
    {"digits", "digits", "drawn digits, 28 x 28 grey, 10 classes, no download", false, false,
     [](const std::string&, const TextOptions&) { return digits(); }},
    {"mnist", "mnist:DIR", "MNIST or a drop-in replacement, IDX files, plain or gzip", true, false,
     [](const std::string& directory, const TextOptions&) { return mnist(directory); }},
    {"cifar10", "cifar10:DIR", "CIFAR-10, binary version, 32 x 32 colour, 10 classes", true, false,
     [](const std::string& directory, const TextOptions&) { return cifar10(directory); }},
    {"e2e", "e2e:DIR", "E2E, sentences about restaurants, to be written by a language model", true, true,
     [](const std::string& directory, const TextOptions& text) { return e2e(directory, text); }},
    {"e2e_area", "e2e_area:DIR", "the same sentences, to be sorted by where the restaurant is, 3 classes", true, true,
     [](const std::string& directory, const TextOptions& text) { return e2e_area(directory, text); }},
}};

std::string known_specs() {
  std::vector<std::string_view> specs;
  for (const auto& source : kSources) specs.push_back(source.spec);
  return fmt::format("choose one of {}", fmt::join(specs, ", "));
}

}  // namespace

std::span<const Source> sources() { return kSources; }

Split open(const std::string& spec, const TextOptions& text) {
  const auto colon = spec.find(':');
  const auto name = spec.substr(0, colon);
  const auto directory = colon == std::string::npos ? std::string() : spec.substr(colon + 1);
  const auto source = std::find_if(kSources.begin(), kSources.end(), [&](const Source& row) { return row.name == name; });
  if (source == kSources.end()) throw base::InvalidArgument("data", "unknown data set", '"' + spec + '"', known_specs());
  if (source->needs_directory ? directory.empty() : colon != std::string::npos) {
    throw base::InvalidArgument("data", fmt::format("must be written {}", source->spec), '"' + spec + '"', known_specs());
  }
  if (!source->is_text && (text.tokenizer || text.vocabulary || text.positions)) {
    throw base::InvalidArgument("data", "is no text: tokenizer, vocabulary and positions mean nothing for it", '"' + spec + '"',
                                "leave these options out");
  }
  return source->open(directory, text);
}

}  // namespace ghostgrad::data
