// SPDX-License-Identifier: Apache-2.0
// Matrix functions of batches [.., n, m]: the batch dimensions stay apart, nothing else does.
#include <algorithm>

#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

/// Dimensions that a result has besides its batch: [.., n, m] 2, [.., n] 1, [..] 0. The first operand is [.., n, m].
int batch_rank(const Transfer& t) { return t.wanted(0) ? t.edge_rank(0) - 2 : 0; }

/// The one batch dimension along which every live result has its examples; joined over results.
Ownership over_results(Transfer& t, int edge, int batch) {
  Ownership all = Ownership::none();
  for (int slot = 0; slot < t.slots(); ++slot) {
    if (!t.live(slot)) continue;
    const auto axis = t.axis(slot);
    const int inside = t.rank(slot) - batch;
    if (!axis || axis->dim >= batch || inside < 0 || inside > 2) return Ownership::mixed();
    all = join(all, placed(*axis, axis->dim, t.edge_shape(edge), t.examples()), t.edge_shape(edge), t.examples());
  }
  return all;
}

/// Vectors [.., n] beside matrices: what householder_product takes, and solve where their shape is that of the matrices but for one dimension.
/// Everything else of that rank is matrices, broadcast over the first dimension of the batch.
bool takes_vectors(const Transfer& t, int edge, int batch) {
  const std::string name = short_name(*t.node());
  if (name == "LinalgHouseholderProductBackward0") return true;
  if (name != "LinalgSolveExBackward0") return false;
  return std::equal(t.edge_shape(edge).begin(), t.edge_shape(edge).end(), t.edge_shape(0).begin(), t.edge_shape(0).begin() + batch + 1);
}

/// Operands of the same batch shape as the first.
bool same_batch(const Transfer& t, int edge, int batch) {
  if (t.edge_rank(edge) != batch + 2 && !(t.edge_rank(edge) == batch + 1 && takes_vectors(t, edge, batch))) return false;
  return std::equal(t.edge_shape(edge).begin(), t.edge_shape(edge).begin() + batch, t.edge_shape(0).begin());
}

const Registered batched = transfers({"LinalgInvExBackward0",
                                      "LinalgCholeskyExBackward0",
                                      "CholeskyBackward0",
                                      "CholeskyInverseBackward0",
                                      "CholeskySolveBackward0",
                                      "LinalgDetBackward0",
                                      "LinalgSlogdetBackward0",
                                      "LinalgSolveExBackward0",
                                      "LinalgMatrixExpBackward0",
                                      "LinalgLuFactorExBackward0",
                                      "LinalgLuBackward0",
                                      "LinalgLuSolveBackward0",
                                      "LuUnpackBackward0",
                                      "LinalgQrBackward0",
                                      "LinalgSvdBackward0",
                                      "LinalgEighBackward0",
                                      "LinalgEigBackward0",
                                      "LinalgPinvBackward0",
                                      "LinalgSolveTriangularBackward0",
                                      "TriangularSolveBackward0",
                                      "LinalgHouseholderProductBackward0"},
                                     [](Transfer& t) {
                                       const int batch = batch_rank(t);
                                       for (int edge = 0; edge < t.edges(); ++edge) {
                                         if (batch > 0 && t.wanted(edge) && same_batch(t, edge, batch))
                                           t.set(edge, over_results(t, edge, batch));
                                       }
                                     },
                                     {.every_slot = true, .single = false});

}  // namespace
}  // namespace ghostgrad::graph
