use std::time::Duration;

use crate::{Assignment, Motion};

/// How things are followed. Times are seconds, not frames, so that one setting
/// serves all frame rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Width of the picture by its height; 16:9 unless told.
    pub aspect: f32,
    /// A detection of at least this score (0..1) may begin a track.
    pub sure: f32,
    /// A detection below this score (0..1) is ignored; between the two it may
    /// only continue a track.
    pub weak: f32,
    /// Overlap (IoU, 0..1) from which two boxes may be the same thing.
    pub overlap: f32,
    /// Standard deviation of the way that a thing goes unforeseen in a second,
    /// in its own lengths; 0 pairs by overlap alone.
    pub reach: f32,
    /// How pairs are chosen. Measured; see docs/decisions/0011-tracking.md.
    pub assignment: Assignment,
    /// How things are expected to move. Measured; see there.
    pub motion: Motion,
    /// A track is believed after this many sightings.
    pub hits: u32,
    /// An unbelieved track that is unseen for this long is forgotten.
    pub doubt: Duration,
    /// A believed track at the picture's edge that is unseen, and not covered
    /// by another thing, for this long and for at least two looks is gone.
    pub lost: Duration,
    /// The same in the middle of the picture, where a detector that misses is
    /// likelier than a door.
    pub lost_inside: Duration,
    /// The same for a thing that stood still: detectors miss small still
    /// things for seconds on end.
    pub lost_still: Duration,
    /// Gone at the latest after this long unseen, covered or not.
    pub hidden: Duration,
    /// Still after staying within `still_share` for this long.
    pub still: Duration,
    /// Staying: the centre moved by less than this share of the own size (the
    /// square root of the box's area).
    pub still_share: f32,
    /// An excursion from the place shorter than this is jitter.
    pub jitter: Duration,
    /// A person within this many of its own heights of a thing is near it:
    /// 1.5 heights are 2.5 m.
    pub near_heights: f32,
    /// … and within this many of the thing's own longer sides, so that
    /// somebody close to the camera, tall in the picture, is not near
    /// everything behind.
    pub near_sides: f32,
    /// A person who comes near a thing and stands there is with it after this
    /// long, …
    pub attend: Duration,
    /// … and one who walks about there after this long: to walk past, through a
    /// circle of 2.5 m, takes 4 s.
    pub attend_pacing: Duration,
    /// A person who goes this many of the own heights a second walks, and does
    /// not stand about: 0.5 m/s.
    pub walks: f32,
    /// A foot counts as over a zone's edge at once when it is farther from it
    /// than this share of the own height, …
    pub edge_share: f32,
    /// … and than this share of the picture's height, since cameras shake, …
    pub edge_least: f32,
    /// … and otherwise as in when it stays in for this long, …
    pub edge_in: Duration,
    /// … and as out when it stays out for this long.
    pub edge_out: Duration,
    /// Things that are there when tracking begins did not enter: those seen
    /// this soon, but for who comes over the picture's edge.
    pub warm_up: Duration,
    /// Classes that are persons.
    pub persons: Vec<String>,
    /// Classes between which a detector wavers about one thing.
    pub groups: Vec<Vec<String>>,
    /// Tracks at most. Full-policy: the oldest unbelieved one goes; if all are
    /// believed the new thing is not followed. Both are counted.
    pub most: usize,
}

impl Default for Config {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|s| s.to_string()).collect();
        Self {
            aspect: 16.0 / 9.0,
            // ByteTrack's thresholds, scores being calibrated here.
            sure: 0.5,
            weak: 0.1,
            overlap: 0.2,
            reach: 0.4,
            assignment: Assignment::Optimal,
            motion: Motion::Damped,
            hits: 2,
            doubt: Duration::from_secs(1),
            lost: Duration::from_millis(1_500),
            lost_inside: Duration::from_secs(6),
            lost_still: Duration::from_secs(10),
            hidden: Duration::from_secs(120),
            still: Duration::from_secs(3),
            still_share: 0.35,
            jitter: Duration::from_secs(1),
            near_heights: 1.5,
            near_sides: 6.0,
            attend: Duration::from_secs(3),
            attend_pacing: Duration::from_secs(8),
            walks: 0.3,
            edge_share: 0.1,
            edge_least: 0.015,
            edge_in: Duration::from_secs(1),
            edge_out: Duration::from_secs(2),
            warm_up: Duration::from_secs(3),
            persons: words(&["person"]),
            groups: vec![
                words(&["suitcase", "backpack", "handbag"]),
                words(&["car", "truck", "bus"]),
            ],
            most: 256,
        }
    }
}

impl Config {
    /// The IoU tracker (Bochinski et al., AVSS 2017), to compare with: overlap
    /// with the last box, best pair first, confident boxes only.
    pub fn iou_only() -> Self {
        let usual = Self::default();
        Self {
            weak: usual.sure,
            reach: 0.0,
            assignment: Assignment::Greedy,
            motion: Motion::Stay,
            ..usual
        }
    }

    /// Whether two classes may be one thing.
    pub(crate) fn akin(&self, a: &str, b: &str) -> bool {
        let has = |g: &Vec<String>, c: &str| g.iter().any(|x| x == c);
        a == b || self.groups.iter().any(|g| has(g, a) && has(g, b))
    }

    pub(crate) fn is_person(&self, class: &str) -> bool {
        self.persons.iter().any(|p| p == class)
    }
}
