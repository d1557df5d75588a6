//! Random numbers that are the same whoever else draws.

/// A stream of its own for each purpose, so that what one policy does never
/// changes the weather of another.
#[derive(Clone, Debug)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The stream of `seed` for `purpose`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, to keep purposes apart.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(fastrand::Rng::with_seed(
            hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        ))
    }

    /// Evenly in `low..high`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// Of so many.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.usize(0..n.max(1))
    }

    /// True this often.
    pub fn often(&mut self, share: f64) -> bool {
        self.0.f64() < share
    }

    /// Normal with mean 0 and standard deviation 1, cut at 3 (Box and Muller,
    /// "A note on the generation of random normal deviates", 1958).
    pub fn normal(&mut self) -> f64 {
        let u = 1.0 - self.0.f64();
        let v = self.0.f64();
        let z = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        z.clamp(-3.0, 3.0)
    }

    /// Waiting time for what happens every `mean` on average.
    pub fn waits(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.0.f64()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, purpose| Chance::new(seed, purpose).between(0.0, 1.0);
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        let mut c = Chance::new(3, "n");
        let n: Vec<f64> = (0..10_000).map(|_| c.normal()).collect();
        let mean = n.iter().sum::<f64>() / 1e4;
        let sd = (n.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e4).sqrt();
        assert!(
            mean.abs() < 0.05 && (sd - 1.0).abs() < 0.05,
            "{mean} +/- {sd}"
        );
    }
}
