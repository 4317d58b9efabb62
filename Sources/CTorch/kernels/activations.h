// What bends between two products.
//
// The including file has opened a namespace of its own and switched its instructions on.

/// x · sigmoid(slope).
inline Floats gated(Floats x, Floats slope) {
  // Beyond it the quotient is nothing beside any other activation, and the power overflows.
  Floats power = Floats::min(Floats::all(126), slope * Floats::all(-1.44269504f));
  return x / (Floats::all(1) + powerOfTwo(power));
}

/// x · sigmoid(x).
inline Floats silu(Floats x) { return gated(x, x); }

/// The Gaussian error linear unit in its form with a hyperbolic tangent.
inline Floats gelu(Floats x) {
  // (1 + tanh u) / 2 is sigmoid(2 u).
  Floats cube = Floats::fma(x * x, Floats::all(0.044715f), Floats::all(1)) * x;
  return gated(x, cube * Floats::all(1.59576912f));
}
