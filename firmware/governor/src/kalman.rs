//! Two numbers learned from readings that mix them.

/// Estimates `x` from readings `h·x + noise`, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pair {
    pub x: [f64; 2],
    /// Variance of the first, covariance, variance of the second.
    pub p: [f64; 3],
}

impl Pair {
    /// Variance of `h·x`.
    pub fn spread(&self, h: [f64; 2]) -> f64 {
        let [a, c, b] = self.p;
        h[0] * h[0] * a + 2.0 * h[0] * h[1] * c + h[1] * h[1] * b
    }

    /// What a reading is expected to be.
    pub fn expected(&self, h: [f64; 2]) -> f64 {
        h[0] * self.x[0] + h[1] * self.x[1]
    }

    /// Learns from a reading whose noise has this variance (Kalman, "A new
    /// approach to linear filtering and prediction problems", 1960).
    pub fn learn(&mut self, h: [f64; 2], reading: f64, noise: f64) {
        let [a, c, b] = self.p;
        let surprise = reading - self.expected(h);
        let all = self.spread(h) + noise;
        let gain = [(a * h[0] + c * h[1]) / all, (c * h[0] + b * h[1]) / all];
        self.x[0] += gain[0] * surprise;
        self.x[1] += gain[1] * surprise;
        self.p = [
            (a - gain[0] * (a * h[0] + c * h[1])).max(1e-9),
            c - gain[0] * (c * h[0] + b * h[1]),
            (b - gain[1] * (c * h[0] + b * h[1])).max(1e-9),
        ];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_come_apart() {
        let mut pair = Pair {
            x: [1.0, 1.0],
            p: [1.0, 0.0, 1.0],
        };
        for n in 0..200 {
            let h = [1.0, f64::from(n % 5)];
            pair.learn(h, 2.0 * h[0] + 0.3 * h[1], 1e-4);
        }
        assert!((pair.x[0] - 2.0).abs() < 1e-2 && (pair.x[1] - 0.3).abs() < 1e-2);
        assert!(pair.spread([1.0, 1.0]) < 1e-4);
    }
}
