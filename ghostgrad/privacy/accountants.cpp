// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/privacy/accountants.h"

#include <string>

#include "ghostgrad/base/error.h"
#include "ghostgrad/privacy/analytic.h"
#include "ghostgrad/privacy/gdp.h"
#include "ghostgrad/privacy/pld.h"
#include "ghostgrad/privacy/prv.h"
#include "ghostgrad/privacy/rdp.h"

namespace ghostgrad::privacy {
namespace {

template <class Kind>
std::unique_ptr<Accountant> make(Adjacency adjacency) {
  return std::make_unique<Kind>(adjacency);
}

std::string all_names() {
  std::string names;
  for (const auto& row : accountants()) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

}  // namespace

const std::vector<AccountantRow>& accountants() {
  static const std::vector<AccountantRow> rows = {
      {"rdp", "Renyi divergences of fixed orders, added up", "Mironov, Talwar, Zhang 2019", make<RdpAccountant>},
      {"pld", "privacy loss distributions, connected dots: tight, with a lower bound", "Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022",
       make<PldAccountant>},
      {"prv", "privacy loss random variables: an estimate with error bars", "Gopi, Lee, Wutschitz 2021", make<PrvAccountant>},
      {"analytic", "the exact curve of Gaussians without sampling", "Balle, Wang 2018", make<AnalyticAccountant>},
      {"gdp", "a central limit approximation: no guarantee", "Bu, Dong, Long, Su 2020", make<GdpAccountant>},
  };
  return rows;
}

std::unique_ptr<Accountant> make_accountant(std::string_view name, Adjacency adjacency) {
  for (const auto& row : accountants()) {
    if (row.name == name) return row.make(adjacency);
  }
  throw base::InvalidArgument("accountant", "is not known", std::string(name), "pass one of: " + all_names());
}

std::string_view usual_accountant(const Event& event, Adjacency adjacency) {
  const bool only_rdp = !make_accountant(kUsualAccountant, adjacency)->supports(event) && RdpAccountant(adjacency).supports(event);
  return only_rdp ? "rdp" : kUsualAccountant;
}

}  // namespace ghostgrad::privacy
