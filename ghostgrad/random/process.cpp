// SPDX-License-Identifier: Apache-2.0
#include "ghostgrad/random/process.h"

#include <atomic>
#include <new>
#include <pthread.h>
#include <span>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/entropy.h"

namespace ghostgrad::random {
namespace {

using Mark = std::atomic<std::uint64_t>;
static_assert(Mark::is_always_lock_free, "the mark is cleared between fork() and the child's first instruction");

Mark* atfork_mark = nullptr;

void clear_in_child() { atfork_mark->store(0, std::memory_order_relaxed); }

/// One page of its own, because the kernel wipes whole pages.
Mark* make_mark_page() {
  const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw base::SystemError("random", "no page for the process mark", "", "free some memory");
  auto* mark = new (page) Mark(0);
#ifdef MADV_WIPEONFORK
  (void)::madvise(page, size, MADV_WIPEONFORK);  // absent before Linux 4.14; the handler below remains
#endif
  atfork_mark = mark;
  if (::pthread_atfork(nullptr, nullptr, clear_in_child) != 0) {
    throw base::SystemError("random", "the fork handler could not be installed", "", "free some memory");
  }
  return mark;
}

std::uint64_t draw_mark() {
  std::uint64_t mark = 0;
  while (mark == 0) fill_with_entropy(std::as_writable_bytes(std::span(&mark, 1)));
  return mark;
}

}  // namespace

std::uint64_t process_mark() {
  static Mark* const mark = make_mark_page();
  if (const auto seen = mark->load(std::memory_order_relaxed); seen != 0) return seen;
  std::uint64_t expected = 0;
  const auto drawn = draw_mark();
  return mark->compare_exchange_strong(expected, drawn) ? drawn : expected;
}

void require_same_process(std::uint64_t mark, std::string_view who) {
  if (mark == process_mark()) return;
  if (mark == 0) throw base::PrivacyError("random", std::string(who) + " was moved from", "", "use the object it was moved to");
  throw base::PrivacyError("random", std::string(who) + " belongs to another process: after fork() both would draw the same noise", "",
                           "make a new Key in the process that uses it");
}

}  // namespace ghostgrad::random
