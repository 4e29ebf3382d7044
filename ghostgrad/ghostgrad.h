// SPDX-License-Identifier: Apache-2.0
// Everything a program needs to train privately: `#include "ghostgrad/ghostgrad.h"`.
#pragma once

#include "ghostgrad/base/error.h"
#include "ghostgrad/data/open.h"
#include "ghostgrad/engine/engine.h"
#include "ghostgrad/engine/plan.h"
#include "ghostgrad/sample/physical.h"
#include "ghostgrad/sample/poisson.h"

namespace ghostgrad {

using base::InvalidArgument;
using base::PrivacyError;
using base::Unsupported;
using engine::Batch;
using engine::check_independence;
using engine::Engine;
using engine::LossFunction;
using engine::Plan;
using engine::PlanOptions;
using sample::LogicalBatch;
using sample::physical_batches;
using sample::PhysicalBatch;
using sample::PoissonSampler;

}  // namespace ghostgrad
