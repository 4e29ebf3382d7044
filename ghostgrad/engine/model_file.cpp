// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/engine/model_file.h"

#include <string>
#include <system_error>

#include <c10/util/Exception.h>
#include <torch/serialize/archive.h>

#include "ghostgrad/base/error.h"

namespace ghostgrad::engine {
namespace {

std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

}  // namespace

void save_model(const torch::nn::Module& model, const std::filesystem::path& file) {
  const std::filesystem::path unfinished = file.string() + ".unfinished";
  try {
    torch::serialize::OutputArchive archive;
    model.save(archive);
    archive.save_to(unfinished.string());
    std::filesystem::rename(unfinished, file);
  } catch (const c10::Error& error) {
    throw base::SystemError(file.string(), "cannot be written", first_line(error), "check that the directory exists and has room");
  } catch (const std::filesystem::filesystem_error& error) {
    throw base::SystemError(file.string(), "cannot be written", error.code().message(), "check that the directory exists and has room");
  }
}

void load_model(torch::nn::Module& model, const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw base::InvalidArgument(file.string(), "there is no such file", "", "pass a file that save_model wrote");
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(file.string());
    std::vector<std::vector<int64_t>> before;
    for (const at::Tensor& parameter : model.parameters()) before.push_back(parameter.sizes().vec());
    model.load(archive);
    for (size_t i = 0; i < before.size(); ++i) {
      const at::Tensor parameter = model.parameters()[i];
      TORCH_CHECK(parameter.sizes() == at::IntArrayRef(before[i]), "parameter ", i, " has shape ", parameter.sizes(), " instead of ",
                  at::IntArrayRef(before[i]));
    }
  } catch (const c10::Error& error) {
    throw base::SystemError(file.string(), "does not hold this model", first_line(error),
                            "pass a file that save_model wrote for the same architecture");
  }
}

}  // namespace ghostgrad::engine
