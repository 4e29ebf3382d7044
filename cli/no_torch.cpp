// SPDX-License-Identifier: Apache-2.0
// The commands that need libtorch, in a build without it: each says so.
#include "cli/command.h"
#include "cli/torch_error.h"
#include <string>

#include "ghostgrad/base/error.h"

namespace ghostgrad::cli {
namespace {

class Missing : public Command {
 public:
  explicit Missing(CLI::App& app) : name_(app.get_name()) { app.allow_extras(); }
  int run() override {
    throw base::Unsupported(name_, "this program was built without libtorch", "", "build it with -DGHOSTGRAD_TORCH=ON");
  }

 private:
  std::string name_;
};

std::unique_ptr<Command> make_missing(CLI::App& app) { return std::make_unique<Missing>(app); }

}  // namespace

std::unique_ptr<Command> make_train(CLI::App& app) { return make_missing(app); }
std::unique_ptr<Command> make_methods(CLI::App& app) { return make_missing(app); }
std::unique_ptr<Command> make_models(CLI::App& app) { return make_missing(app); }
std::unique_ptr<Command> make_rules(CLI::App& app) { return make_missing(app); }
std::unique_ptr<Command> make_bench(CLI::App& app) { return make_missing(app); }

std::optional<std::string> torch_message(const std::exception&) { return {}; }

}  // namespace ghostgrad::cli
