// SPDX-License-Identifier: Apache-2.0
// Layouts against the views that libtorch itself makes.
#include "ghostgrad/graph/layout.h"

#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

namespace ghostgrad::graph {
namespace {

Layout layout_of(const at::Tensor& view) { return {Shape(view.sizes()), Shape(view.strides()), view.storage_offset()}; }

const at::Tensor whole = at::arange(2 * 3 * 4).view({2, 3, 4});

TEST(Layout, FollowsTheViewsOfATensor) {
  Layout layout = Layout::of({2, 3, 4});
  EXPECT_EQ(layout, layout_of(whole));
  layout.swap(0, 2);
  EXPECT_EQ(layout, layout_of(whole.transpose(0, 2)));
  layout.permute({2, 0, 1});
  EXPECT_EQ(layout, layout_of(whole.transpose(0, 2).permute({2, 0, 1})));
  layout.narrow(1, 1, 2, 2);
  EXPECT_EQ(layout, layout_of(whole.transpose(0, 2).permute({2, 0, 1}).slice(1, 1, 4, 2)));
  layout.select(2, 1);
  EXPECT_EQ(layout, layout_of(whole.transpose(0, 2).permute({2, 0, 1}).slice(1, 1, 4, 2).select(2, 1)));
}

TEST(Layout, IsReshapedWhereStridesCanTellAndLeftAloneWhereNot) {
  Layout rows = Layout::of({6, 4});
  ASSERT_TRUE(rows.view({2, 3, 4}));
  EXPECT_EQ(rows, layout_of(whole));
  Layout columns = Layout::of({6, 4});
  columns.swap(0, 1);
  const Layout before = columns;
  EXPECT_FALSE(columns.view({24}));
  EXPECT_EQ(columns, before);
}

TEST(Layout, ForgetsDimensionsOfOneElement) { EXPECT_EQ(layout_of(at::arange(12).view({1, 3, 1, 4})).squeezed(), Layout::of({3, 4})); }

TEST(Layout, AreDisjointWhenNoElementIsShownTwice) {
  const at::Tensor matrix = at::arange(24).view({6, 4});
  const auto are_disjoint = [](const std::vector<at::Tensor>& views) {
    std::vector<Layout> layouts;
    for (const at::Tensor& view : views) layouts.push_back(layout_of(view));
    return disjoint(layouts, 24);
  };
  EXPECT_TRUE(are_disjoint({matrix.slice(0, 0, 2), matrix.slice(0, 2, 6)})) << "rows";
  EXPECT_TRUE(are_disjoint({matrix.slice(1, 0, 2).t(), matrix.slice(1, 2, 4)})) << "columns, whose addresses interleave";
  EXPECT_TRUE(are_disjoint({matrix.slice(0, 0, 6, 2), matrix.slice(0, 1, 6, 2)})) << "every other row";
  EXPECT_TRUE(are_disjoint({matrix.slice(0, 0, 0), matrix})) << "nothing and all";
  EXPECT_FALSE(are_disjoint({matrix.slice(0, 0, 3), matrix.slice(0, 2, 6)})) << "a row in common";
  EXPECT_FALSE(are_disjoint({matrix.slice(1, 0, 3), matrix.slice(1, 2, 4)})) << "a column in common";
  EXPECT_FALSE(are_disjoint({matrix.select(0, 1), matrix.select(1, 3)})) << "a row and a column";
  EXPECT_FALSE(are_disjoint({matrix, matrix})) << "the same";
}

}  // namespace
}  // namespace ghostgrad::graph
