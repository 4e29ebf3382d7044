// SPDX-License-Identifier: Apache-2.0
// Which process drew this secret? After fork() two processes hold the same key and would draw the same noise twice, and the
// difference of two releases would then be free of noise. So every key and stream remembers the process it was made in.
//
//     const auto mark = process_mark();        // in the constructor
//     require_same_process(mark, "Stream");    // before every use: throws base::PrivacyError in a forked child
//
// Guarantee: the mark is random, lives on a page that the kernel wipes in every child (MADV_WIPEONFORK, so a raw clone() is seen
// too) and that an atfork handler clears where the kernel cannot. Process ids would not do: they repeat across pid namespaces.
//
// Why throw and not quietly draw a new key: the child would go on with other noise and other samples than the program that made
// the key believes, and nobody would learn of it. A program that means to train in the child makes its key there.
#pragma once

#include <cstdint>
#include <string_view>

namespace ghostgrad::random {

/// Different in every process, never 0; one relaxed load after the first call.
[[nodiscard]] std::uint64_t process_mark();

/// Throws base::PrivacyError unless `mark` was taken in this very process (0: the owner was moved from); `who` names the owner.
void require_same_process(std::uint64_t mark, std::string_view who);

}  // namespace ghostgrad::random
