// SPDX-License-Identifier: Apache-2.0
// How the program ends.
//
//     0    done
//     1    the world failed: a damaged file, a full disk, something libtorch cannot do
//     2    usage: an unknown flag, a value out of range, a file that is not there
//     3    privacy: going on would void the guarantee
//     130, 143    stopped by Ctrl-C or SIGTERM after a complete step (128 + the signal, as shells count); all results were written
#pragma once

#include <exception>

namespace ghostgrad::cli {

enum Exit { kDone = 0, kFailed = 1, kUsage = 2, kPrivacy = 3, kSignal = 128 };

/// Prints `error: [where] what is wrong; what to do` to standard error. -> exit code
int report_error(const std::exception_ptr& error);

}  // namespace ghostgrad::cli
