// SPDX-License-Identifier: Apache-2.0
// CIFAR-10 in its binary version: records of one label byte and 3,072 pixel bytes (red plane, green, blue; 32 x 32 each,
// row by row) [Krizhevsky09].
//
//     auto split = data::cifar10("data/cifar-10-batches-bin");        // split.train.inputs [N, 3, 32, 32]
//
// Inputs are (pixel / 255 - mean) / std per channel, mean (0.4914, 0.4822, 0.4465), std (0.2470, 0.2435, 0.2616): the
// published constants, not recomputed from the files.
#pragma once

#include <filesystem>

#include "ghostgrad/data/dataset.h"

namespace ghostgrad::data {

/// Reads data_batch_1.bin, data_batch_2.bin, ... (at least the first; five in the published set) and test_batch.bin.
/// A file may hold any whole number of records; a gap in the numbering is an error.
[[nodiscard]] Split cifar10(const std::filesystem::path& directory);

}  // namespace ghostgrad::data
