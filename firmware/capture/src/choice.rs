//! Which encoder, and which of a source's ways to launch, the next run takes.
//! Pure: it is told how runs ended and says what to do.

/// Pictures that an encoder has to have made before it failed to be thought
/// well of: it is then tried again before the next one takes its place.
const WELL: u64 = 250;

/// How often an encoder is forgiven so, all in all.
const FORGIVEN: u32 = 3;

/// What becomes of an encoder that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is tried again.
    Again,
    /// The one of this number takes its place.
    Next(usize),
    /// It was the last one: nothing is encoded from now on.
    Nothing,
}

/// See the module. A choice is kept until the camera is started anew: an
/// encoder that failed is not tried again behind people's backs.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    encoders: usize,
    encoder: usize,
    forgiven: u32,
    variants: usize,
    variant: usize,
    /// The variant has given pictures.
    proven: bool,
}

impl Choice {
    /// The first of so many encoders and of so many variants, each ≥ 1.
    pub fn new(encoders: usize, variants: usize) -> Self {
        Self {
            encoders,
            encoder: 0,
            forgiven: 0,
            variants: variants.max(1),
            variant: 0,
            proven: false,
        }
    }

    /// The encoder's number; `None` if all have failed.
    pub fn encoder(&self) -> Option<usize> {
        (self.encoder < self.encoders).then_some(self.encoder)
    }

    /// The variant's number.
    pub fn variant(&self) -> usize {
        self.variant
    }

    /// The encoder failed after it had made so many pictures in this run.
    pub fn encoder_failed(&mut self, made: u64) -> Verdict {
        if made >= WELL && self.forgiven < FORGIVEN {
            self.forgiven += 1;
            return Verdict::Again;
        }
        self.forgiven = 0;
        self.encoder = (self.encoder + 1).min(self.encoders);
        match self.encoder() {
            Some(next) => Verdict::Next(next),
            None => Verdict::Nothing,
        }
    }

    /// A run gave pictures.
    pub fn source_gave(&mut self) {
        self.proven = true;
    }

    /// The source failed in a way that another variant may not: its number, if
    /// there is one and this one has never given a picture.
    pub fn source_failed(&mut self) -> Option<usize> {
        if self.proven || self.variants < 2 {
            return None;
        }
        self.variant = (self.variant + 1) % self.variants;
        Some(self.variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_never_worked_gives_way_at_once() {
        let mut choice = Choice::new(3, 1);
        assert_eq!(choice.encoder_failed(0), Verdict::Next(1));
        assert_eq!(choice.encoder_failed(WELL - 1), Verdict::Next(2));
        assert_eq!(choice.encoder(), Some(2));
        assert_eq!(choice.encoder_failed(3), Verdict::Nothing);
        assert_eq!(choice.encoder(), None);
        assert_eq!(choice.encoder_failed(0), Verdict::Nothing);
    }

    #[test]
    fn one_that_worked_is_forgiven_three_times() {
        let mut choice = Choice::new(2, 1);
        for _ in 0..FORGIVEN {
            assert_eq!(choice.encoder_failed(WELL), Verdict::Again);
        }
        assert_eq!(choice.encoder_failed(WELL), Verdict::Next(1));
        assert_eq!(choice.encoder_failed(WELL), Verdict::Again, "the next too");
    }

    #[test]
    fn variants_take_turns_until_one_gives_a_picture() {
        let mut choice = Choice::new(1, 2);
        assert_eq!(choice.source_failed(), Some(1));
        assert_eq!(choice.source_failed(), Some(0));
        assert_eq!(choice.source_failed(), Some(1));
        choice.source_gave();
        assert_eq!(choice.source_failed(), None);
        assert_eq!(choice.variant(), 1);
        assert_eq!(Choice::new(1, 1).source_failed(), None);
    }
}
