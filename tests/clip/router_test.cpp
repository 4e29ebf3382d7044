// SPDX-License-Identifier: Apache-2.0
// The routes of `auto`: what trials found, and what keeping costs that no trial sees.
#include "ghostgrad/clip/router.h"

#include <chrono>
#include <thread>

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace ghostgrad::clip {
namespace {

/// Whose routes take as long as they are told to.
class Timed final : public Bundle {
 public:
  Timed(std::string label, std::chrono::milliseconds gram, int64_t kept_bytes) : gram_(gram), kept_bytes_(kept_bytes) {
    label_ = std::move(label);
  }
  [[nodiscard]] ByParameter squared_norms(Route route) override {
    std::this_thread::sleep_for(route == Route::gram ? gram_ : std::chrono::milliseconds(1));
    ++trials;
    return {{0, at::zeros({1}, at::kDouble)}};
  }
  [[nodiscard]] ByParameter weighted_sums(const Coefficients&) override { return {}; }
  [[nodiscard]] std::vector<int> parameters() const override { return {0}; }
  [[nodiscard]] rules::Cost cost() const override {
    rules::Cost cost;
    cost.kept_elements = static_cast<double>(kept_bytes_) / sizeof(float);
    cost.positions = 2;
    cost.weight_elements = 1;  // the published rule instantiates
    return cost;
  }
  [[nodiscard]] bool has_gram() const override { return true; }
  [[nodiscard]] bool isolates_examples() const override { return true; }
  [[nodiscard]] bool bears_other_orders() const override { return true; }
  void keep_only(const at::Tensor&) override {}

  int trials = 0;

 private:
  std::chrono::milliseconds gram_;
  int64_t kept_bytes_;
};

constexpr int64_t kMiB = 1 << 20;
constexpr std::chrono::milliseconds kSlow{5}, kFast{0};

const at::TensorOptions& losses() {
  static const at::TensorOptions options(at::kFloat);
  return options;
}

TEST(Router, TakesTheFasterRouteAndTriesEachShapeOnce) {
  Router router(find_method("auto"), 1024 * kMiB);
  Timed slow("slow", kSlow, kMiB), fast("fast", kFast, kMiB), again("slow", kSlow, kMiB);
  EXPECT_EQ(router.route(slow, losses()), Route::instantiate_keep);
  EXPECT_EQ(router.route(fast, losses()), Route::gram);
  EXPECT_EQ(router.route(again, losses()), Route::instantiate_keep);
  EXPECT_GT(slow.trials, 0);
  EXPECT_EQ(again.trials, 0);
}

TEST(Router, CountsTheFreshPagesOfWhatItKeepsBesideTheRest) {
  Router router(find_method("auto"), int64_t{64} * 1024 * kMiB);
  for (int batch = 0; batch < 2; ++batch) {
    router.begin();
    Timed small("small", kSlow, 48 * kMiB), large("large", kSlow, int64_t{16} * 1024 * kMiB);
    EXPECT_EQ(router.route(small, losses()), Route::instantiate_keep);
    EXPECT_EQ(router.route(large, losses()), Route::gram);                                // 4 ms for 16 GiB
    EXPECT_EQ(router.route(large, losses().device(at::kCUDA)), Route::instantiate_keep);  // an allocator that gives nothing back
  }
}

TEST(Router, DoesNotTryWhatDoesNotFit) {
  Router router(find_method("auto"), 3 * kMiB);
  Timed first("a", kSlow, 2 * kMiB), second("b", kSlow, 2 * kMiB);
  EXPECT_EQ(router.route(first, losses()), Route::instantiate_keep);
  EXPECT_EQ(router.route(second, losses()), Route::instantiate);  // by the published rule
  EXPECT_EQ(second.trials, 0);
  router.begin();
  EXPECT_EQ(router.route(second, losses()), Route::instantiate_keep);
}

TEST(Router, OfOtherMethodsReadsTheirRowAndTriesNothing) {
  Timed bundle("c", kSlow, kMiB);
  const auto route_by = [&](const std::string& method) { return Router(find_method(method), kMiB).route(bundle, losses()); };
  EXPECT_EQ(route_by("bk"), Route::gram);
  EXPECT_EQ(route_by("bk_mixed_ghost"), Route::instantiate);
  EXPECT_EQ(route_by("bk_mixed_opt"), Route::instantiate_keep);
  EXPECT_EQ(route_by("per_example"), Route::instantiate_keep);
  EXPECT_EQ(bundle.trials, 0);
}

}  // namespace
}  // namespace ghostgrad::clip
