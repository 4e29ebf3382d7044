// SPDX-License-Identifier: Apache-2.0
// Embeddings: any example may look up any row, so only features can keep examples apart. Parameters end here: a table is where calls are.
#include "ghostgrad/graph/registry.h"

namespace ghostgrad::graph {
namespace {

const Registered tables = transfers({"EmbeddingBackward0", "EmbeddingBagBackward0"}, [](Transfer& t) {
  const auto axis = t.axis();
  if (axis && axis->dim == t.rank() - 1) t.keep(0, axis, 1);
});

}  // namespace
}  // namespace ghostgrad::graph
