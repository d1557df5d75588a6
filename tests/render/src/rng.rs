//! A small fixed random generator (SplitMix64).
//!
//! The pictures of a seed are part of the project's tests, so the generator must never change with a
//! dependency's version; that is why it is here and not taken from a crate.
//! Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

/// A deterministic stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A stream for this seed. Equal seeds give equal streams, on every platform.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A new stream that depends on this seed and a name, so that adding a draw in one place does not
    /// shift the draws of another.
    pub fn named(seed: u64, name: &str) -> Self {
        let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
        for byte in name.bytes() {
            state = mix(state ^ u64::from(byte)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
        Self(state)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Uniform in 0..1 (1 excluded).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform between the two bounds.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number in 0..n; 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        if n == 0 {
            0
        } else {
            (self.bits() % n as u64) as usize
        }
    }

    /// True with this probability.
    pub fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// One of the choices. `choices` must not be empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    /// Roughly normal with mean 0 and deviation 1 (sum of twelve uniforms; the tails end at ±6).
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }

    /// The colour moved a little in brightness and tint.
    pub fn tint(&mut self, colour: [f32; 3], by: f32) -> [f32; 3] {
        let all = 1.0 + by * self.normal().clamp(-2.0, 2.0);
        colour.map(|c| (c * (all + 0.3 * by * self.normal())).clamp(0.01, 1.0))
    }
}

/// The output function of SplitMix64: also a good hash of a counter.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
