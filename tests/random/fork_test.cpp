// SPDX-License-Identifier: Apache-2.0
// What a forked child may do with its parent's randomness: nothing.
#include <csignal>
#include <functional>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "ghostgrad/base/error.h"
#include "ghostgrad/random/process.h"
#include "ghostgrad/random/stream.h"

namespace ghostgrad::random {
namespace {

constexpr int refused = 42;
constexpr int went_through = 43;

/// The exit code of a child that runs `body`: refused when it threw a PrivacyError.
int run_in(pid_t child, const std::function<void()>& body) {
  if (child == 0) {
    int code = went_through;
    try {
      body();
    } catch (const base::PrivacyError&) {
      code = refused;
    } catch (...) {
      code = 1;
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int in_fork(const std::function<void()>& body) { return run_in(::fork(), body); }

/// A child that libc does not know of, so that no atfork handler runs.
int in_raw_clone(const std::function<void()>& body) {
  return run_in(static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)), body);
}

TEST(Fork, RefusesTheParentsKeyInTheChild) {
  const auto key = Key::from_os();
  EXPECT_EQ(in_fork([&] { (void)Stream(key, {Purpose::noise}); }), refused);
  EXPECT_NO_THROW((void)Stream(key, {Purpose::noise})) << "the parent goes on";
}

TEST(Fork, RefusesTheParentsStreamAlsoWhereBytesAreBuffered) {
  Stream stream(Key::from_os(), {Purpose::noise});
  (void)stream.next_u64();
  EXPECT_EQ(in_fork([&] { (void)stream.next_u64(); }), refused);
  EXPECT_EQ(in_fork([&] { stream.seek(3); }), refused);
  EXPECT_EQ(in_fork([&] {
              std::array<std::byte, 4> bytes;
              stream.fill(bytes);
            }),
            refused);
  EXPECT_NO_THROW((void)stream.next_u64());
}

TEST(Fork, RefusesTheParentsStreamInAGrandchildAndAfterARawClone) {
  Stream stream(Key::from_os(), {Purpose::noise});
  EXPECT_EQ(in_fork([&] { ::_exit(in_fork([&] { (void)stream.next_u64(); })); }), refused);
  EXPECT_EQ(in_raw_clone([&] { (void)stream.next_u64(); }), refused);
}

TEST(Fork, LetsTheChildMakeItsOwnKey) {
  (void)process_mark();
  EXPECT_EQ(in_fork([] { (void)Stream(Key::from_os(), {Purpose::noise}).next_u64(); }), went_through);
}

TEST(Fork, GivesTheChildAMarkOfItsOwn) {
  const auto parent = process_mark();
  EXPECT_EQ(in_fork([&] { ::_exit(process_mark() != parent && process_mark() == process_mark() ? 0 : 1); }), 0);
  EXPECT_EQ(process_mark(), parent);
}

}  // namespace
}  // namespace ghostgrad::random
