// SPDX-License-Identifier: Apache-2.0
// The E2E data set [Novikova17]: descriptions of restaurants (`mr`, a list of slot[value]) and sentences that say the same (`ref`).
//
//     auto split = data::e2e("data/e2e", {});             // to write the sentence:  inputs, targets [N, T]
//     auto split = data::e2e_area("data/e2e", {});        // to tell where it is:  targets [N], 0 not said, 1 city centre, 2 riverside
//
// To be written is `mr || ref`, of which only the tokens of ref and its end are learned; to be sorted is ref.
#pragma once

#include <filesystem>

#include "ghostgrad/data/dataset.h"
#include "ghostgrad/data/text.h"

namespace ghostgrad::data {

/// Reads train.csv or trainset.csv, and test.csv or testset_w_refs.csv, with the columns mr,ref.
[[nodiscard]] Split e2e(const std::filesystem::path& directory, const TextOptions& options);
[[nodiscard]] Split e2e_area(const std::filesystem::path& directory, const TextOptions& options);

}  // namespace ghostgrad::data
