// SPDX-License-Identifier: Apache-2.0
#include "tests/graph/probe.h"
#include "tests/graph/programs.h"
#include <map>

namespace ghostgrad::graph {
namespace {

struct Outcome {
  int programs = 0;
  int checked = 0;
  std::vector<std::string> wrong;
  std::map<std::string, int> missed;
  std::map<std::string, int> resolved;
};

std::string steps_of(const Program& program) {
  std::string text;
  for (const auto& step : program.steps) text += step + " ";
  return text;
}

Outcome run_programs(uint64_t first_seed, int programs) {
  Outcome all;
  for (uint64_t seed = first_seed; all.programs < programs; ++seed) {
    const auto program = random_program(seed);
    if (!program) continue;
    Probed probed;
    try {
      probed = probe(program->losses, program->parameters, seed);
    } catch (const c10::Error&) {  // a backward that libtorch does not have
      continue;
    }
    ++all.programs;
    all.checked += probed.checked;
    for (const auto& text : probed.wrong) all.wrong.push_back("seed " + std::to_string(seed) + ": " + steps_of(*program) + "| " + text);
    for (const auto& text : probed.missed) ++all.missed[text.substr(0, text.find(" ["))];
    for (const auto& [op, count] : probed.resolved) all.resolved[op] += count;
  }
  return all;
}

void expect_no_wrong_owner(const Outcome& all) {
  EXPECT_EQ(all.wrong.size(), 0u);
  for (size_t i = 0; i < std::min<size_t>(all.wrong.size(), 20); ++i) ADD_FAILURE() << all.wrong[i];
  if (std::getenv("GHOSTGRAD_FUZZ_VERBOSE") == nullptr) return;
  std::cout << all.programs << " programs, " << all.checked << " claims checked, " << all.resolved.size() << " kinds of ops\n";
  for (const auto& [op, count] : all.missed) std::cout << "missed " << count << " " << op << "\n";
}

TEST(Propagation, NamesNoWrongOwnerInAThousandRandomPrograms) {
  const Outcome all = run_programs(100000, 1000);
  expect_no_wrong_owner(all);
  EXPECT_GT(all.checked, 4000);          // the programs have something to say
  EXPECT_GT(all.resolved.size(), 100u);  // about many ops
}

TEST(Propagation, NamesNoWrongOwnerInTenThousandRandomProgramsSlow) { expect_no_wrong_owner(run_programs(1000000, 10000)); }

}  // namespace
}  // namespace ghostgrad::graph
