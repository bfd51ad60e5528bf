// SPDX-License-Identifier: Apache-2.0
//
// A rim, or how far a rim moves, as a function of x: local-linear regression through what the
// vertices of the rim say, which neither a vertex out of line nor a gap between two bends much.

#ifndef BLENDWIRE_CONTACT_INTERNAL_CURVE_H_
#define BLENDWIRE_CONTACT_INTERNAL_CURVE_H_

#include <vector>

#include "absl/types/span.h"
#include "contact/internal/vector.h"

namespace blendwire::contact::internal {

struct Sample {
  double x = 0.0;
  Vector value;
  double weight = 0.0;
};

// Values at equidistant columns, linear between them; beyond the ends those of the ends.
class Curve {
 public:
  Curve() = default;
  Curve(double from, double to, int columns);

  int columns() const { return static_cast<int>(values_.size()); }
  double ColumnX(int column) const { return from_ + step_ * column; }
  const Vector& operator[](int column) const { return values_[static_cast<size_t>(column)]; }
  Vector& operator[](int column) { return values_[static_cast<size_t>(column)]; }

  Vector At(double x) const;

 private:
  double from_ = 0.0;
  double step_ = 1.0;
  std::vector<Vector> values_;
};

struct Bandwidth {
  double least = 0.0;  // where samples are dense
  double most = 0.0;   // where they are not
};

// The regression of `samples` at the columns of [from, to]. Each column looks as far as its few
// nearest samples, within the bandwidth. `samples` must hold at least one with a weight above 0.
Curve FitCurve(absl::Span<const Sample> samples, double from, double to, int columns,
               const Bandwidth& bandwidth);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_CURVE_H_
