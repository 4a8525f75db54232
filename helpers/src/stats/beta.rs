//! The beta distribution, on which the intervals of shares and Student's t rest.

/// The share of a beta distribution with the parameters `a` and `b` that lies below `x`.
///
/// By the continued fraction 8.17.22 of the *NIST Digital Library of Mathematical Functions*, from
/// the side of the mean on which it converges fast.
fn beta_below(x: f64, a: f64, b: f64) -> f64 {
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_below(1.0 - x, b, a);
    }
    let logarithm = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    let density = (logarithm + a * x.ln() + b * (-x).ln_1p()).exp();
    density / a / fraction(x, a, b)
}

/// 1 + d1 / (1 + d2 / (1 + …)), by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const MOST_TERMS: u32 = 10_000;
    let mut value = 1.0;
    let mut above = 1.0;
    let mut below = 0.0;
    for term in 1..=MOST_TERMS {
        let half = f64::from(term / 2);
        let numerator = if term % 2 == 0 {
            half * (b - half)
        } else {
            -(a + half) * (a + b + half)
        };
        let place = a + f64::from(term);
        let next = numerator * x / (place * (place - 1.0));
        above = 1.0 + next / above;
        below = 1.0 / (1.0 + next * below);
        value *= above * below;
        if (above * below - 1.0).abs() < 1e-13 {
            break;
        }
    }
    value
}

/// Where that `share` of a beta distribution lies below, by bisection.
pub(crate) fn beta_quantile(share: f64, a: f64, b: f64) -> f64 {
    let mut low = 0.0;
    let mut high = 1.0;
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if beta_below(middle, a, b) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// So many standard errors on either side of an estimate hold that share of Student's t.
pub(crate) fn student_t(share: f64, freedom: f64) -> f64 {
    let x = beta_quantile(1.0 - share, freedom / 2.0, 0.5);
    (freedom * (1.0 - x) / x).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, wanted: f64) {
        assert!(
            (found / wanted - 1.0).abs() < 5e-6,
            "{found} is not {wanted}"
        );
    }

    /// 97.5th and 99.5th percentiles, as any table of Student's t has them.
    #[test]
    fn student_t_is_that_of_the_tables() {
        let table = [
            (1.0, 12.70620, 63.65674),
            (2.0, 4.302653, 9.924843),
            (4.0, 2.776445, 4.604095),
            (5.0, 2.570582, 4.032143),
            (10.0, 2.228139, 3.169273),
            (18.0, 2.100922, 2.878440),
            (30.0, 2.042272, 2.749996),
            (120.0, 1.979930, 2.617421),
            (100_000.0, 1.959988, 2.575878),
        ];
        for (freedom, wanted, wider) in table {
            close(student_t(0.95, freedom), wanted);
            close(student_t(0.99, freedom), wider);
        }
    }

    /// Against sums over the binomial distribution, term by term.
    #[test]
    fn shares_of_the_beta_distribution_are_tails_of_the_binomial() {
        for (hits, trials, x) in [(1, 6, 0.3), (3, 15, 0.2), (7, 40, 0.3), (500, 1_000, 0.48)] {
            let mut logarithm = f64::from(trials) * f64::ln_1p(-x);
            let mut fewer = 0.0;
            for place in 0..hits {
                fewer += logarithm.exp();
                let next = f64::from(trials - place) / f64::from(place + 1);
                logarithm += (next * x / (1.0 - x)).ln();
            }
            let [a, b] = [hits, trials - hits + 1].map(f64::from);
            close(beta_below(x, a, b), 1.0 - fewer);
            close(beta_below(1.0 - x, b, a), fewer);
        }
    }

    /// Where the distribution has one side only, the answer is a power.
    #[test]
    fn quantiles_are_found_from_rare_to_certain_and_of_many() {
        for trials in [1.0, 20.0, 20_000.0, 1e6] {
            close(
                beta_quantile(0.975, 1.0, trials),
                -f64::exp_m1(0.025_f64.ln() / trials),
            );
            close(
                beta_quantile(0.025, trials, 1.0),
                0.025_f64.powf(1.0 / trials),
            );
        }
        // Symmetric, and as narrow as a normal distribution.
        close(beta_quantile(0.5, 40_000.0, 40_000.0), 0.5);
        let half = 1.959_964 / (4.0 * 80_001.0_f64).sqrt();
        assert!((beta_quantile(0.975, 4e4, 4e4) - 0.5 - half).abs() < 1e-5 * half);
    }
}
