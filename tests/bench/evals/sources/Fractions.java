package demo;

/** Fractions in lowest terms. */
public final class Fractions {
  private final long above;
  private final long below;

  public Fractions(long above, long below) {
    long shared = divisor(Math.abs(above), Math.abs(below));
    this.above = above / shared;
    this.below = below / shared;
  }

  public Fractions plus(Fractions other) {
    return new Fractions(above * other.below + other.above * below, below * other.below);
  }

  private static long divisor(long first, long second) {
    while (second != 0) {
      long rest = first % second;
      first = second;
      second = rest;
    }
    return first;
  }

  @Override
  public String toString() {
    return above + "/" + below;
  }
}
