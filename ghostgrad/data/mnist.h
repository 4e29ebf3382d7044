// SPDX-License-Identifier: Apache-2.0
// MNIST and its drop-in replacements (Fashion-MNIST, KMNIST): ten classes of grey images in IDX files.
//
// IDX: two zero bytes, the element type (8 = unsigned byte), the number of dimensions, each dimension as a big-endian
// 32-bit integer, then the elements, the last dimension fastest [LeCun98, the MNIST database].
//
//     auto split = data::mnist("data/mnist");        // split.train.inputs [N, 1, 28, 28]
//
// Inputs are (pixel / 255 - 0.1307) / 0.3081, the constants published for MNIST; they are not recomputed from the files.
#pragma once

#include <filesystem>

#include "ghostgrad/data/dataset.h"

namespace ghostgrad::data {

/// Reads {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, each plain or with .gz, any number of images.
[[nodiscard]] Split mnist(const std::filesystem::path& directory);

/// One IDX file of unsigned bytes with that many dimensions -> uint8 tensor of its shape.
[[nodiscard]] at::Tensor read_idx(const std::filesystem::path& file, int dimensions);

}  // namespace ghostgrad::data
