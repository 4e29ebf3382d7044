// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/rules/sum_term.h"

#include <algorithm>

#include "ghostgrad/rules/rounding.h"

namespace ghostgrad::rules {
namespace {

bool pair(const Term& one, const Term& other) { return one.pairs_with(other) || other.pairs_with(one); }

at::Tensor inner_of(const Term& one, const Term& other) { return one.pairs_with(other) ? one.inner(other) : other.inner(one); }

/// Takes the first term and all of its kind from `terms`, as one term.
TermPtr take_kind(std::vector<TermPtr>& terms) {
  TermPtr first = std::move(terms.front());
  terms.erase(terms.begin());
  std::vector<const Term*> alike;
  for (const TermPtr& term : terms) alike.push_back(term.get());
  TermPtr joined = alike.empty() ? nullptr : first->concatenate(alike);
  if (!joined) {  // not all are of its kind: which are?
    std::erase_if(alike, [&](const Term* other) { return !first->concatenate({other}); });
    if (alike.empty()) return first;
    joined = first->concatenate(alike);
  }
  std::erase_if(terms, [&](const TermPtr& term) { return std::find(alike.begin(), alike.end(), term.get()) != alike.end(); });
  return joined;
}

}  // namespace

SumTerm::SumTerm(std::vector<TermPtr> terms) : Term(terms.at(0)->examples(), terms[0]->shape()), terms_(std::move(terms)) {}

at::Tensor SumTerm::per_example() const {
  at::Tensor sum = terms_[0]->per_example().clone();
  for (size_t k = 1; k < terms_.size(); ++k) sum += terms_[k]->per_example().reshape(sum.sizes());
  return sum;
}

bool SumTerm::has_gram() const {
  for (size_t k = 0; k < terms_.size(); ++k) {
    if (!terms_[k]->has_gram()) return false;
    for (size_t l = 0; l < k; ++l) {
      if (!pair(*terms_[k], *terms_[l])) return false;
    }
  }
  return true;
}

at::Tensor SumTerm::squared_norms() const {
  if (!has_gram()) return Term::squared_norms();
  at::Tensor squares = terms_[0]->squared_norms().clone();
  for (size_t k = 1; k < terms_.size(); ++k) {
    squares += terms_[k]->squared_norms();
    for (size_t l = 0; l < k; ++l) squares += 2 * inner_of(*terms_[k], *terms_[l]);
  }
  return raised(settled(*this, squares, rounding_of_squares(unit(), lengths()), lost()), rounding());
}

at::Tensor SumTerm::weighted_sum(const at::Tensor& coefficients) const {
  at::Tensor sum = terms_[0]->weighted_sum(coefficients);
  for (size_t k = 1; k < terms_.size(); ++k) sum += terms_[k]->weighted_sum(coefficients).reshape(sum.sizes());
  return sum;
}

at::Tensor SumTerm::lengths() const {
  at::Tensor total = terms_[0]->lengths().clone();
  for (size_t k = 1; k < terms_.size(); ++k) total += terms_[k]->lengths();
  return total;
}

at::Tensor SumTerm::lost() const {
  at::Tensor total = Term::lost();
  for (const TermPtr& term : terms_) total = total + term->lost();
  return total;
}

double SumTerm::unit() const { return terms_[0]->unit(); }

at::Tensor SumTerm::rounding() const {
  at::Tensor total = rounding_of_sums(unit(), static_cast<int64_t>(terms_.size()), lengths().square());
  for (const TermPtr& term : terms_) total = total + term->rounding();
  return total;
}

TermPtr SumTerm::in_double(int64_t example) const {
  std::vector<TermPtr> terms;
  for (const TermPtr& term : terms_) {
    terms.push_back(term->in_double(example));
    if (!terms.back()) return nullptr;
  }
  return std::make_unique<SumTerm>(std::move(terms));
}

Cost SumTerm::cost() const {
  Cost total;
  total.positions = 0;
  for (const TermPtr& term : terms_) {
    const Cost cost = term->cost();
    total.instantiate += cost.instantiate + cost.kept_elements;
    total.gram += cost.gram;
    total.weighted_sum += cost.weighted_sum;
    total.positions += cost.positions;
  }
  const auto examples_count = static_cast<double>(examples());
  total.weight_elements = static_cast<double>(numel());
  total.kept_elements = examples_count * total.weight_elements;
  total.gram += examples_count * total.positions * total.positions;  // the cross terms
  if (!has_gram()) total.gram = total.instantiate;
  return total;
}

void SumTerm::keep_only(const at::Tensor& valid) {
  for (TermPtr& term : terms_) term->keep_only(valid);
}

bool SumTerm::isolates_examples() const {
  return std::all_of(terms_.begin(), terms_.end(), [](const TermPtr& term) { return term->isolates_examples(); });
}

bool SumTerm::bears_other_orders() const {
  return std::all_of(terms_.begin(), terms_.end(), [](const TermPtr& term) { return term->bears_other_orders(); });
}

TermPtr added_up(std::vector<TermPtr> terms) {
  std::vector<TermPtr> kinds;
  while (!terms.empty()) kinds.push_back(take_kind(terms));
  return kinds.size() == 1 ? std::move(kinds[0]) : std::make_unique<SumTerm>(std::move(kinds));
}

}  // namespace ghostgrad::rules
