// SPDX-License-Identifier: Apache-2.0
// The accountant by privacy loss distributions, discretised so that they bound the truth from above ("connect the dots" [DGKM22]) and
// from below, and composed by Fourier transform: tight to the grid. docs/accounting.md has the method; privacy/pld_cells.h the grid.
//
//     value    no outcome of the run is easier to tell apart: the guarantee          lower    the exact value is not below this
//
// Supports the Gaussian and the Poisson-subsampled Gaussian under every adjacency. The two lie within 1e-4 of each other, or a warning
// says that they do not.
//
//     PldAccountant accountant;
//     accountant.compose(poisson_sampled(0.01, gaussian(1.0)), 1000);
//     accountant.epsilon(1e-5).value;              // 1.82825
//     PldAccountant(Adjacency::add_remove, {.interval = 1e-4});      // a grid of one's own
#pragma once

#include "ghostgrad/privacy/pld_run.h"

namespace ghostgrad::privacy {

class PldAccountant : public LossAccountant {
 public:
  explicit PldAccountant(Adjacency adjacency = Adjacency::add_remove, const GridOptions& grid = {}) : LossAccountant(adjacency, grid) {}

  [[nodiscard]] std::string_view name() const override { return "pld"; }

 private:
  [[nodiscard]] Bound epsilon_of_all(double delta) const override;
  [[nodiscard]] Bound delta_of_all(double epsilon) const override;
};

}  // namespace ghostgrad::privacy
