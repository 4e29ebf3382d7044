// SPDX-License-Identifier: Apache-2.0
// What was released, in the accountant's terms: an event is the contract between sampler, mechanism and accountant.
//
//     non_private                          epsilon is infinite
//     gaussian(sigma)                      a sum of vectors of norm at most C, plus N(0, (sigma C)^2 I)
//     poisson_sampled(q, event)            the event, on a batch that holds each example independently with probability q
//     truncated_poisson_sampled(n, q, cap, event)    the same on n examples, but a uniformly random `cap` of the batch where it has more
//     fixed_size_sampled(n, m, event)                the event, on a uniformly random batch of m of the n examples
//     composed({event, ...})               all of them, each may depend on the outputs of those before
//     repeated(event, count)               the same, count times
//
//     const Event run = repeated(poisson_sampled(256.0 / 50000, gaussian(1.1)), 2000);
//
// Guarantee: an Event is an immutable value that was valid when it was made: sigma finite and >= 0, q in (0, 1], sizes >= 1, count >= 0, at
// most 64 levels deep (so that every walk over one is bounded). sigma 0 is allowed and means: no privacy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace ghostgrad::privacy {

class Event;
using NestedEvent = std::shared_ptr<const Event>;

struct NonPrivate {};
struct Gaussian {
  double noise_multiplier;
};
struct PoissonSampled {
  double sample_rate;
  NestedEvent event;
};
struct TruncatedPoissonSampled {
  std::int64_t data_set_size;
  double sample_rate;
  std::int64_t largest_batch;
  NestedEvent event;
};
struct FixedSizeSampled {
  std::int64_t data_set_size;
  std::int64_t batch_size;
  NestedEvent event;
};
struct Composed {
  std::vector<Event> events;
};
struct Repeated {
  NestedEvent event;
  std::int64_t count;
};

class Event {
 public:
  using Node = std::variant<NonPrivate, Gaussian, PoissonSampled, TruncatedPoissonSampled, FixedSizeSampled, Composed, Repeated>;
  static constexpr int max_depth = 64;

  /// Throws base::InvalidArgument for values outside the ranges above.
  explicit Event(Node node);

  [[nodiscard]] const Node& node() const noexcept { return node_; }
  [[nodiscard]] int depth() const noexcept { return depth_; }

 private:
  Node node_;
  int depth_ = 1;
};

[[nodiscard]] Event non_private();
[[nodiscard]] Event gaussian(double noise_multiplier);
[[nodiscard]] Event poisson_sampled(double sample_rate, Event event);
[[nodiscard]] Event truncated_poisson_sampled(std::int64_t data_set_size, double sample_rate, std::int64_t largest_batch, Event event);
[[nodiscard]] Event fixed_size_sampled(std::int64_t data_set_size, std::int64_t batch_size, Event event);
[[nodiscard]] Event composed(std::vector<Event> events);
[[nodiscard]] Event repeated(Event event, std::int64_t count);

[[nodiscard]] bool operator==(const Event& a, const Event& b);

/// In words: "2000 x Poisson(0.00512) of Gaussian(1.1)".
[[nodiscard]] std::string to_text(const Event& event);

/// One event that is neither composed nor repeated, and how often it happens.
struct Part {
  Event event;
  std::int64_t count;
};

/// `count` times the event, without its composed and repeated levels; parts that happen zero times are left out.
/// Throws base::InvalidArgument when a count is negative or leaves the range of 63 bits.
[[nodiscard]] std::vector<Part> parts(const Event& event, std::int64_t count = 1);

/// True when nothing is promised: non_private or a Gaussian without noise, also inside of a sampled event.
[[nodiscard]] bool promises_nothing(const Event& event);

}  // namespace ghostgrad::privacy
