// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/graph/full_precision.h"

#include <mutex>
#include <vector>

#include <ATen/Context.h>

namespace ghostgrad::graph {
namespace {

using at::Float32Backend;
using at::Float32Op;
using at::Float32Precision;

struct Setting {
  Float32Backend backend;
  Float32Op op;

  [[nodiscard]] Float32Precision get() const { return at::globalContext().float32Precision(backend, op); }
  void set(Float32Precision precision) const { at::globalContext().setFloat32Precision(backend, op, precision); }

  /// What stood here is not told, only what it came to: a setting that came to that from more general ones goes on to follow them.
  void restore(Float32Precision wanted) const {
    set(Float32Precision::NONE);
    if (get() != wanted) set(wanted);
  }
};

struct Reduced {
  Setting setting;
  Float32Precision precision;
};

std::mutex guard;
int living = 0;                // guarded
std::vector<Reduced> reduced;  // what was reduced before; guarded

}  // namespace

FullPrecision::FullPrecision() {
  const std::lock_guard lock(guard);
  if (living++ > 0) return;
  for (const auto backend : {Float32Backend::CUDA, Float32Backend::MKLDNN}) {
    for (const auto op : {Float32Op::CONV, Float32Op::RNN, Float32Op::MATMUL}) {
      const Setting setting{backend, op};
      const Float32Precision now = setting.get();
      if (now != Float32Precision::TF32 && now != Float32Precision::BF16) continue;
      reduced.push_back({setting, now});
      setting.set(Float32Precision::IEEE);
    }
  }
}

FullPrecision::~FullPrecision() {
  const std::lock_guard lock(guard);
  if (--living > 0) return;
  for (const Reduced& one : reduced) one.setting.restore(one.precision);
  reduced.clear();
}

}  // namespace ghostgrad::graph
