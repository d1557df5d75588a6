//! Labelled sequences for judging whether a picture changed: things that come, go or creep, and things that only look
//! like a change (noise, lamps, rain, dusk). A frame a look, drawn when asked for.

mod effects;
mod subject;

use crate::place::Place;
use crate::random_place::{self, PlaceKind};
use crate::rng::Rng;
use crate::shot::{Shot, Stage};
use crate::stills;
use effects::Effect;
use subject::Subject;

/// What happens in a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody crosses the picture in eight seconds and is gone.
    Passing,
    /// Somebody far off (about 1 % of the picture) is suddenly there and stays.
    SmallPerson,
    /// A bag of about 0.3 % of the picture is put down.
    Bag,
    /// A thing of about 0.1 % of the picture is put down.
    TinyThing,
    /// A bag of about 0.3 % of the picture is taken away.
    Gone,
    /// Somebody far off shifts by the own width in a minute.
    SlowWalk,
    /// A thing of about 1 % fades in over a minute, as fog thins or a shadow wanders.
    FadeIn,
    /// A dark coat before a dark floor: a few levels of difference.
    LowContrast,
    /// As [`Kind::LowContrast`], but so faint that people hardly see it.
    Faint,
    /// A thing of about 0.03 % of the picture, a dozen pixels across in one of 640.
    Speck,
    /// Somebody small under few lamps, with the noise of high gain.
    Night,
    /// [`Kind::SmallPerson`] in rain.
    InRain,
    /// [`Kind::SmallPerson`] under lamps whose beat wanders through the rows.
    InFlicker,
    /// [`Kind::SmallPerson`] while it gets dark.
    InDusk,
    /// A lamp is switched on or off: the whole picture changes.
    LightSwitch,
    /// Nothing but the sensor's noise.
    Still,
    /// The beat of the mains with a rolling shutter: bands wander through the rows.
    Bands,
    /// The whole picture's brightness trembles.
    Tremble,
    /// Rain.
    Rain,
    /// Automatic exposure swings by a tenth within 40 s.
    Exposure,
    /// It gets dark: half the brightness in ten minutes.
    Dusk,
    /// The camera shakes by half a pixel.
    Shake,
    /// A tree sways in a part of the picture.
    Tree,
    /// A screen in a part of the picture shows something else every three seconds.
    Screen,
}

/// What an opening means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Something happens that must be noticed.
    Change,
    /// Nothing does; noticing costs a look.
    Nothing,
    /// Something moves that nobody asked for: noticed in the whole picture, not beside it.
    Elsewhere,
    /// Everything changes at once: noticing is right, and needed since a thing may hide in it.
    Light,
}

impl Kind {
    /// All of them, changes first.
    pub const ALL: [Kind; 24] = [
        Kind::Passing,
        Kind::SmallPerson,
        Kind::Bag,
        Kind::TinyThing,
        Kind::Gone,
        Kind::SlowWalk,
        Kind::FadeIn,
        Kind::LowContrast,
        Kind::Faint,
        Kind::Speck,
        Kind::Night,
        Kind::InRain,
        Kind::InFlicker,
        Kind::InDusk,
        Kind::LightSwitch,
        Kind::Still,
        Kind::Bands,
        Kind::Tremble,
        Kind::Rain,
        Kind::Exposure,
        Kind::Dusk,
        Kind::Shake,
        Kind::Tree,
        Kind::Screen,
    ];

    /// What noticing it means.
    pub fn label(self) -> Label {
        use Kind::*;
        match self {
            Passing | SmallPerson | Bag | TinyThing | Gone | SlowWalk | FadeIn | LowContrast
            | Faint | Speck | Night | InRain | InFlicker | InDusk => Label::Change,
            LightSwitch => Label::Light,
            Still | Bands | Tremble | Rain | Exposure | Dusk | Shake => Label::Nothing,
            Tree | Screen => Label::Elsewhere,
        }
    }

    /// Whether it lies at the edge of what can be seen at all: there to show where that edge is.
    pub fn at_the_limit(self) -> bool {
        matches!(self, Kind::Faint | Kind::Speck)
    }

    /// A name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Passing => "person passes",
            Kind::SmallPerson => "small person (1 %)",
            Kind::Bag => "bag (0.3 %)",
            Kind::TinyThing => "tiny thing (0.1 %)",
            Kind::Gone => "bag taken (0.3 %)",
            Kind::SlowWalk => "slow walk (60 s)",
            Kind::FadeIn => "fades in (60 s)",
            Kind::LowContrast => "low contrast",
            Kind::Faint => "faint (1 to 2 levels)",
            Kind::Speck => "speck (0.03 %)",
            Kind::Night => "night",
            Kind::InRain => "person in rain",
            Kind::InFlicker => "person under flicker",
            Kind::InDusk => "person at dusk",
            Kind::LightSwitch => "light switch",
            Kind::Still => "sensor noise",
            Kind::Bands => "mains flicker, bands",
            Kind::Tremble => "mains flicker, whole",
            Kind::Rain => "rain",
            Kind::Exposure => "auto-exposure",
            Kind::Dusk => "dusk",
            Kind::Shake => "camera shakes",
            Kind::Tree => "tree",
            Kind::Screen => "screen",
        }
    }
}

/// A rectangle of the picture, 0..1: left, top, right, bottom.
pub type Rect = [f32; 4];

/// What changes, where and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Seconds into the sequence: the first moment at which something is different.
    pub from: f32,
    /// Seconds: complete from here on, or gone again for [`Kind::Passing`].
    pub until: f32,
    /// All that it touches, without shadow and mirror image.
    pub rect: Rect,
    /// Mean difference of luma inside `rect` once complete, levels of 255.
    pub contrast: f32,
}

/// One labelled sequence.
pub struct Sequence {
    /// What happens.
    pub kind: Kind,
    /// Equal seeds give equal pictures.
    pub seed: u64,
    /// What changes, if something does.
    pub change: Option<Change>,
    /// Where something moves that nobody asked for.
    pub moving: Option<Rect>,
    /// Frames, one a second.
    pub frames: usize,
    stage: Stage,
    /// The same place under other light.
    other: Option<Stage>,
    subject: Option<Subject>,
    effects: Vec<Effect>,
}

/// Seconds before anything happens, so that a watcher can learn the noise.
const QUIET_S: f32 = 20.0;
/// Seconds of a gradual change.
const SLOW_S: f32 = 60.0;
/// Seconds after a change is complete.
const AFTER_S: f32 = 30.0;
/// Seconds that somebody takes to cross the picture.
const PASSING_S: f32 = 8.0;
/// Seconds of a sequence in which nothing happens.
const NOTHING_S: usize = 120;
/// Places that are tried before a seed is given up.
const TRIES: usize = 60;

fn dark(place: &mut Place, rng: &mut Rng) {
    place.light.ambient = rng.range(0.16, 0.26);
    place.light.lamps.clear();
    place.floor.gloss = 0.0;
    place.sensor.gain = 1.0;
    place.sensor.gamma = 1.0;
    place.sensor.noise = rng.range(2.0, 4.0);
}

fn night(place: &mut Place, rng: &mut Rng) {
    place.light.ambient = rng.range(0.22, 0.40);
    place.sensor.gain = 1.35;
    place.sensor.noise = rng.range(7.0, 14.0);
}

impl Sequence {
    /// The sequence of this kind and seed, `width` x `height` pixels.
    pub fn new(kind: Kind, seed: u64, width: u32, height: u32) -> Self {
        let mut rng = Rng::named(seed, kind.name());
        let label = kind.label();
        let mut tried = 0;
        loop {
            let place_kind = *rng.pick(&PlaceKind::ALL);
            let mut place = random_place::place(&mut rng, place_kind);
            match kind {
                Kind::LowContrast | Kind::Faint => dark(&mut place, &mut rng),
                Kind::Night => night(&mut place, &mut rng),
                // By day; night is a kind of its own.
                _ if label == Label::Change => {
                    place.light.ambient = place.light.ambient.max(0.55);
                    place.sensor.noise = place.sensor.noise.min(6.0);
                }
                _ => {}
            }
            let mut furniture = Vec::new();
            for _ in 0..rng.below(4) {
                let at = crate::geom::v3(
                    rng.range(place.left + 0.8, place.right - 0.8),
                    0.0,
                    rng.range(place.depth * 0.5, place.depth - 0.6),
                );
                if random_place::walkable(&place, at) {
                    furniture.push(random_place::clutter(&mut rng, place_kind, &place, at));
                }
            }
            let stage = Stage::new(place.clone(), furniture.clone(), None, width, height, false);
            let subject = match label {
                Label::Change => match Subject::find(kind, &stage, &mut rng) {
                    Some(subject) => Some(subject),
                    None if tried < TRIES => {
                        tried += 1;
                        continue;
                    }
                    None => panic!(
                        "no place for '{}' with seed {seed} in {TRIES} tries",
                        kind.name()
                    ),
                },
                _ => None,
            };
            let other = (kind == Kind::LightSwitch).then(|| {
                let mut lit = place.clone();
                lit.light.ambient *= rng.range(0.25, 0.6);
                Stage::new(lit, furniture, None, width, height, false)
            });
            let effects = Effect::of(kind, &mut rng);
            let moving = effects.iter().find_map(Effect::rect);
            let from = QUIET_S;
            let until = match kind {
                Kind::SlowWalk | Kind::FadeIn => from + SLOW_S,
                Kind::Passing => from + PASSING_S,
                _ => from,
            };
            let mut sequence = Self {
                kind,
                seed,
                change: None,
                moving,
                frames: match label {
                    Label::Change | Label::Light => (until + AFTER_S) as usize,
                    Label::Nothing | Label::Elsewhere => NOTHING_S,
                },
                stage,
                other,
                subject,
                effects,
            };
            sequence.change = match (&sequence.subject, label) {
                (Some(subject), _) => Some(Change {
                    from,
                    until,
                    rect: subject.rect,
                    contrast: sequence.contrast(subject),
                }),
                (None, Label::Light) => Some(Change {
                    from,
                    until,
                    rect: [0.0, 0.0, 1.0, 1.0],
                    contrast: sequence.difference([0.0, 0.0, 1.0, 1.0], from - 1.0, from + 1.0),
                }),
                _ => None,
            };
            // What can hardly be seen at all is no fair case, and what is
            // plainly seen none of low contrast.
            let fair = match (kind, sequence.change) {
                (Kind::Faint, Some(change)) => (1.0..2.0).contains(&change.contrast),
                (Kind::LowContrast, Some(change)) => (2.0..8.0).contains(&change.contrast),
                (_, Some(change)) => change.contrast >= 4.0,
                (_, None) => true,
            };
            if fair || tried >= TRIES {
                return sequence;
            }
            tried += 1;
        }
    }

    /// Pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.stage.view.width as u32, self.stage.view.height as u32)
    }

    /// The time of a frame, seconds.
    pub fn time(&self, index: usize) -> f32 {
        index as f32
    }

    /// How much of the change is there at `t`, 0..1.
    fn progress(&self, t: f32) -> f32 {
        let Some(change) = &self.change else {
            return 0.0;
        };
        match change.until > change.from {
            true => ((t - change.from) / (change.until - change.from)).clamp(0.0, 1.0),
            false => f32::from(t >= change.from),
        }
    }

    fn shot(&self, t: f32, frame: u64) -> Shot {
        let mut shot = Shot {
            frame: frame ^ (self.seed << 32),
            flicker: 1.0,
            ..Shot::default()
        };
        for effect in &self.effects {
            shot.flicker *= effect.brightness(t, frame);
        }
        shot
    }

    /// Frame `index` as tightly packed RGB. A second passes from one to the next.
    pub fn frame(&self, index: usize) -> Vec<u8> {
        self.draw(self.time(index), index as u64)
    }

    fn draw(&self, t: f32, frame: u64) -> Vec<u8> {
        let shot = self.shot(t, frame);
        let progress = self.progress(t);
        let stage = match &self.other {
            Some(other) if progress > 0.5 => other,
            _ => &self.stage,
        };
        let rendered = |shot: &Shot| stills::to_rgb(&stage.render(shot, false).0).into_raw();
        let mut rgb = match &self.subject {
            None => rendered(&shot),
            Some(subject) => {
                let (with, share) = subject.shown(self.kind, progress, shot.clone());
                match share {
                    share if share <= 0.0 => rendered(&shot),
                    share if share >= 1.0 => rendered(&with),
                    share => effects::blend(&rendered(&shot), &rendered(&with), share),
                }
            }
        };
        let (width, _) = self.size();
        for effect in &self.effects {
            effect.apply(&mut rgb, width as usize, t, frame);
        }
        rgb
    }

    fn contrast(&self, subject: &Subject) -> f32 {
        let shot = Shot {
            flicker: 1.0,
            ..Shot::default()
        };
        let at = if self.kind == Kind::Passing { 0.5 } else { 1.0 };
        let (with, _) = subject.shown(self.kind, at, shot.clone());
        let picture = |shot: &Shot| stills::to_rgb(&self.stage.render(shot, false).0).into_raw();
        let boxed = self.stage.label(&with);
        let rect = subject::union(boxed.found.iter().filter(|f| f.id.is_some()));
        let rect = rect.unwrap_or(subject.rect);
        match self.kind {
            // Against where the person stood.
            Kind::SlowWalk => {
                let (before, _) = subject.shown(self.kind, 0.0, shot);
                self.mean_difference(&picture(&before), &picture(&with), rect)
            }
            _ => self.mean_difference(&picture(&shot), &picture(&with), rect),
        }
    }

    fn difference(&self, rect: Rect, before: f32, after: f32) -> f32 {
        // `change` is not known yet; the stages are.
        let _ = (before, after);
        let shot = Shot {
            flicker: 1.0,
            ..Shot::default()
        };
        let picture = |stage: &Stage| stills::to_rgb(&stage.render(&shot, false).0).into_raw();
        let other = self.other.as_ref().unwrap_or(&self.stage);
        self.mean_difference(&picture(&self.stage), &picture(other), rect)
    }

    fn mean_difference(&self, a: &[u8], b: &[u8], rect: Rect) -> f32 {
        let (width, height) = self.size();
        let span = |low: f32, high: f32, of: u32| {
            let low = (low * of as f32) as usize;
            low..((high * of as f32).ceil() as usize).clamp(low + 1, of as usize)
        };
        let luma = |rgb: &[u8], at: usize| {
            let [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]].map(f32::from);
            0.299 * r + 0.587 * g + 0.114 * b
        };
        let (mut sum, mut count) = (0.0, 0);
        for y in span(rect[1], rect[3], height) {
            for x in span(rect[0], rect[2], width) {
                let at = (y * width as usize + x) * 3;
                sum += (luma(a, at) - luma(b, at)).abs();
                count += 1;
            }
        }
        sum / count as f32
    }

    /// A zone that holds the change, with room round it; `None` if nothing changes in one place.
    pub fn zone_with(&self) -> Option<Rect> {
        let [x0, y0, x1, y1] = self.change.filter(|_| self.subject.is_some())?.rect;
        let (mx, my) = (((x1 - x0) * 0.5).max(0.03), ((y1 - y0) * 0.5).max(0.03));
        Some([
            (x0 - mx).max(0.0),
            (y0 - my).max(0.0),
            (x1 + mx).min(1.0),
            (y1 + my).min(1.0),
        ])
    }

    /// A zone that the change, or what moves, does not touch: a sixth of the picture, well away from it.
    pub fn zone_without(&self) -> Option<Rect> {
        let touched = match (self.moving, self.change) {
            (Some(rect), _) => rect,
            (None, Some(change)) if self.subject.is_some() => change.rect,
            _ => return None,
        };
        let candidates: [Rect; 4] = [
            [0.02, 0.1, 0.27, 0.75],
            [0.73, 0.1, 0.98, 0.75],
            [0.05, 0.02, 0.6, 0.3],
            [0.4, 0.02, 0.95, 0.3],
        ];
        let gap = |zone: &Rect| {
            let x = (touched[0] - zone[2]).max(zone[0] - touched[2]);
            let y = (touched[1] - zone[3]).max(zone[1] - touched[3]);
            x.max(y)
        };
        let best = candidates
            .into_iter()
            .max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
        // Shadows and mirror images reach this far at most.
        (gap(&best) > 0.15).then_some(best)
    }
}
