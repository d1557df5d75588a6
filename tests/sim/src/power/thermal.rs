//! A thermal network of two nodes: the die sits in the case, the case in the
//! air.

/// Resistances and time constants.
///
/// ```text
/// Cd dTd/dt = Pdie  - (Td - Tc)/Rd
/// Cc dTc/dt = Pcase + (Td - Tc)/Rd - (Tc - Ta)/Rc
/// ```
/// with `Cd = die_seconds / die_k_per_w` and `Cc = case_seconds /
/// case_k_per_w`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network {
    /// Time constant of the case to the air, seconds, > 0.
    pub case_seconds: f64,
    /// Rise of the case over the air, K/W, > 0.
    pub case_k_per_w: f64,
    /// Time constant of the die to the case, seconds, > 0.
    pub die_seconds: f64,
    /// Rise of the die over the case, K/W, > 0.
    pub die_k_per_w: f64,
}

/// The network and its temperatures. Steps are exact for watts and air that
/// stay the same for their length.
#[derive(Clone, Debug)]
pub struct Thermal {
    case_k_per_w: f64,
    die_k_per_w: f64,
    /// Eigenvalues (< 0) of the homogeneous system in (die, case).
    eigenvalues: [f64; 2],
    /// Components of the eigenvectors in the case; in the die they are 1.
    case_of: [f64; 2],
    die: f64,
    case: f64,
}

impl Thermal {
    /// In balance with `watts` at the die, `rest` elsewhere and `air` °C.
    pub fn settled(network: Network, air: f64, watts: f64, rest: f64) -> Self {
        let (rd, rc) = (network.die_k_per_w, network.case_k_per_w);
        let (cd, cc) = (network.die_seconds / rd, network.case_seconds / rc);
        // x' = A x with x = (die, case).
        let (a, b) = (-1.0 / (rd * cd), 1.0 / (rd * cd));
        let (c, d) = (1.0 / (rd * cc), -1.0 / (rd * cc) - 1.0 / (rc * cc));
        let middle = (a + d) / 2.0;
        let root = (((a - d) / 2.0).powi(2) + b * c).sqrt();
        let eigenvalues = [middle + root, middle - root];
        // b > 0, so (1, (l - a) / b) is an eigenvector of each.
        let case_of = eigenvalues.map(|l| (l - a) / b);
        let mut this = Self {
            case_k_per_w: rc,
            die_k_per_w: rd,
            eigenvalues,
            case_of,
            die: 0.0,
            case: 0.0,
        };
        (this.die, this.case) = this.balance(air, watts, rest);
        this
    }

    fn balance(&self, air: f64, watts: f64, rest: f64) -> (f64, f64) {
        let case = air + self.case_k_per_w * (watts + rest);
        (case + self.die_k_per_w * watts, case)
    }

    /// The die, °C.
    pub fn die(&self) -> f64 {
        self.die
    }

    /// The case, °C.
    pub fn case(&self) -> f64 {
        self.case
    }

    /// `dt` seconds with `watts` at the die, `rest` elsewhere in the case and
    /// `air` °C.
    pub fn step(&mut self, dt: f64, air: f64, watts: f64, rest: f64) {
        let (die, case) = self.balance(air, watts, rest);
        let (x, y) = (self.die - die, self.case - case);
        let [v1, v2] = self.case_of;
        let second = (y - v1 * x) / (v2 - v1);
        let first = x - second;
        let (e1, e2) = (
            first * (self.eigenvalues[0] * dt).exp(),
            second * (self.eigenvalues[1] * dt).exp(),
        );
        self.die = die + e1 + e2;
        self.case = case + v1 * e1 + v2 * e2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: Network = Network {
        case_seconds: 900.0,
        case_k_per_w: 3.0,
        die_seconds: 15.0,
        die_k_per_w: 4.0,
    };

    /// The equations by Euler's method in small steps.
    fn euler(mut die: f64, mut case: f64, seconds: f64, air: f64, pd: f64, pc: f64) -> (f64, f64) {
        let n = NETWORK;
        let (cd, cc) = (
            n.die_seconds / n.die_k_per_w,
            n.case_seconds / n.case_k_per_w,
        );
        let dt = 1e-3;
        for _ in 0..(seconds / dt) as usize {
            let up = (die - case) / n.die_k_per_w;
            let out = (case - air) / n.case_k_per_w;
            die += dt * (pd - up) / cd;
            case += dt * (pc + up - out) / cc;
        }
        (die, case)
    }

    #[test]
    fn it_is_what_the_equations_say() {
        let mut exact = Thermal::settled(NETWORK, 20.0, 2.0, 3.0);
        assert!((exact.case() - 35.0).abs() < 1e-9 && (exact.die() - 43.0).abs() < 1e-9);
        let by_hand = euler(exact.die(), exact.case(), 120.0, 30.0, 5.0, 4.0);
        for _ in 0..240 {
            exact.step(0.5, 30.0, 5.0, 4.0);
        }
        assert!(
            (exact.die() - by_hand.0).abs() < 0.01,
            "{exact:?} {by_hand:?}"
        );
        assert!(
            (exact.case() - by_hand.1).abs() < 0.01,
            "{exact:?} {by_hand:?}"
        );
    }

    #[test]
    fn the_length_of_a_step_changes_nothing() {
        let mut one = Thermal::settled(NETWORK, 0.0, 1.0, 1.0);
        let mut many = one.clone();
        one.step(600.0, 10.0, 4.0, 2.0);
        for _ in 0..6_000 {
            many.step(0.1, 10.0, 4.0, 2.0);
        }
        assert!((one.die() - many.die()).abs() < 1e-6);
        assert!((one.case() - many.case()).abs() < 1e-6);
    }
}
