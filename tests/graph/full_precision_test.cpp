// SPDX-License-Identifier: Apache-2.0
// Reduced products are off while a guard lives, and on again afterwards, as they were asked for.
#include "ghostgrad/graph/full_precision.h"

#include <optional>

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace ghostgrad::graph {
namespace {

using at::Float32Backend;
using at::Float32Op;
using at::Float32Precision;

Float32Precision now(Float32Backend backend, Float32Op op) { return at::globalContext().float32Precision(backend, op); }

bool is_full(Float32Precision precision) { return precision != Float32Precision::TF32 && precision != Float32Precision::BF16; }

bool all_full() {
  for (const auto backend : {Float32Backend::CUDA, Float32Backend::MKLDNN}) {
    for (const auto op : {Float32Op::CONV, Float32Op::RNN, Float32Op::MATMUL}) {
      if (!is_full(now(backend, op))) return false;
    }
  }
  return true;
}

class FullPrecisionTest : public testing::Test {
 protected:
  void TearDown() override {
    at::globalContext().setFloat32MatmulPrecision("highest");
    at::globalContext().setFloat32Precision(Float32Backend::GENERIC, Float32Op::ALL, Float32Precision::NONE);
  }
};

TEST_F(FullPrecisionTest, TurnsOffWhatTheUserAllowedAndOnAgain) {
  at::globalContext().setFloat32MatmulPrecision("medium");
  const auto cuda = now(Float32Backend::CUDA, Float32Op::MATMUL), onednn = now(Float32Backend::MKLDNN, Float32Op::MATMUL);
  ASSERT_FALSE(is_full(cuda));
  ASSERT_FALSE(is_full(onednn));
  {
    const FullPrecision full;
    EXPECT_TRUE(all_full());
  }
  EXPECT_EQ(now(Float32Backend::CUDA, Float32Op::MATMUL), cuda);
  EXPECT_EQ(now(Float32Backend::MKLDNN, Float32Op::MATMUL), onednn);
  EXPECT_EQ(at::globalContext().float32MatmulPrecision(), at::Float32MatmulPrecision::MEDIUM) << "the older interface agrees";
}

TEST_F(FullPrecisionTest, TurnsOffWhatIsReducedFromTheStart) {
  const auto convolution = now(Float32Backend::CUDA, Float32Op::CONV);
  ASSERT_EQ(convolution, Float32Precision::TF32) << "the default of convolutions on CUDA";
  {
    const FullPrecision full;
    EXPECT_TRUE(all_full());
  }
  EXPECT_EQ(now(Float32Backend::CUDA, Float32Op::CONV), convolution);
  EXPECT_TRUE(at::globalContext().allowTF32CuDNN()) << "the older interface agrees";
}

TEST_F(FullPrecisionTest, LeavesSettingsThatFollowMoreGeneralOnesFollowing) {
  at::globalContext().setFloat32Precision(Float32Backend::GENERIC, Float32Op::ALL, Float32Precision::TF32);
  ASSERT_FALSE(is_full(now(Float32Backend::MKLDNN, Float32Op::CONV)));
  { const FullPrecision full; }
  EXPECT_FALSE(is_full(now(Float32Backend::MKLDNN, Float32Op::CONV)));
  at::globalContext().setFloat32Precision(Float32Backend::GENERIC, Float32Op::ALL, Float32Precision::IEEE);
  EXPECT_TRUE(is_full(now(Float32Backend::MKLDNN, Float32Op::CONV)));
}

TEST_F(FullPrecisionTest, LastsAsLongAsTheLastOneAlive) {
  at::globalContext().setFloat32MatmulPrecision("high");
  std::optional<FullPrecision> first(std::in_place), second(std::in_place);
  first.reset();
  EXPECT_TRUE(all_full());
  second.reset();
  EXPECT_FALSE(is_full(now(Float32Backend::CUDA, Float32Op::MATMUL)));
}

}  // namespace
}  // namespace ghostgrad::graph
