//! When a schedule is open, in local wall time.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::{Day, Schedule, TimeOfDay};

/// Where on Earth, for the sun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// -90 (south) to 90 (north).
    pub latitude_degrees: f64,
    /// -180 (west) to 180 (east).
    pub longitude_degrees: f64,
}

/// A schedule in a time zone.
#[derive(Clone, Debug)]
pub struct Hours {
    schedule: Schedule,
    zone: TimeZone,
    position: Option<Position>,
}

impl Hours {
    /// `schedule` in the wall time of `zone`, with the sun of `position`.
    pub fn new(schedule: Schedule, zone: TimeZone, position: Option<Position>) -> Self {
        Self {
            schedule,
            zone,
            position,
        }
    }

    /// When `time` comes on `date`. A time that the clocks skip in spring is
    /// taken an hour later, one that comes twice in autumn is the first.
    fn at(&self, date: Date, time: TimeOfDay) -> Option<Timestamp> {
        let minutes = match time {
            TimeOfDay::Clock(m) => m,
            TimeOfDay::Sunrise | TimeOfDay::Sunset => {
                let rising = time == TimeOfDay::Sunrise;
                match self.position.and_then(|p| sun(date, p, rising)) {
                    Some(at) => return Some(at),
                    None => {
                        if rising {
                            6 * 60
                        } else {
                            18 * 60
                        }
                    }
                }
            }
        };
        let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).ok()?;
        let zoned = self.zone.to_ambiguous_zoned(date.to_datetime(time));
        Some(zoned.compatible().ok()?.timestamp())
    }

    /// The span that starts on `date`, if one does.
    fn span(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let day = Day::ALL[date.weekday().to_monday_zero_offset() as usize];
        if self
            .schedule
            .days
            .as_ref()
            .is_some_and(|d| !d.contains(&day))
        {
            return None;
        }
        let midnight = TimeOfDay::Clock(0);
        let start = self.at(date, self.schedule.start.unwrap_or(midnight))?;
        let end = self.schedule.end.unwrap_or(midnight);
        let same_day = self.at(date, end)?;
        let end = if same_day > start {
            same_day
        } else {
            self.at(date.checked_add(1.day()).ok()?, end)?
        };
        Some((start, end))
    }

    fn spans_around(&self, now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let today = now.to_zoned(self.zone.clone()).date();
        (-2..=8i64).filter_map(move |n| self.span(today.checked_add(n.days()).ok()?))
    }

    /// Whether it is open at `now`. A span holds its start and not its end.
    pub fn open(&self, now: Timestamp) -> bool {
        self.spans_around(now)
            .any(|(start, end)| start <= now && now < end)
    }

    /// When it next opens or closes after `now`; `None` if not within a week.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let open = self.open(now);
        let mut turns: Vec<Timestamp> = self
            .spans_around(now)
            .flat_map(|(a, b)| [a, b])
            .filter(|t| *t > now)
            .collect();
        turns.sort();
        turns.into_iter().find(|t| self.open(*t) != open)
    }
}

/// Sunrise or sunset on `date` (the sun's upper edge on the horizon, 90.833°
/// from the zenith) by the sunrise equation with the low-precision solar
/// position of the Astronomical Almanac; good to a few minutes. `None` where
/// the sun does not rise or set on that day.
fn sun(date: Date, at: Position, rising: bool) -> Option<Timestamp> {
    let noon = date.to_datetime(Time::new(12, 0, 0, 0).ok()?);
    let noon_utc = TimeZone::UTC
        .to_ambiguous_zoned(noon)
        .compatible()
        .ok()?
        .timestamp();
    // Days since J2000.0 (2000-01-01 12:00) of mean solar noon here.
    let days = noon_utc.as_second() as f64 / 86_400.0 - 10_957.5 - at.longitude_degrees / 360.0;
    let anomaly = (357.5291 + 0.985_600_28 * days).to_radians();
    let centre =
        1.9148 * anomaly.sin() + 0.02 * (2.0 * anomaly).sin() + 0.0003 * (3.0 * anomaly).sin();
    let longitude = (anomaly.to_degrees() + centre + 180.0 + 102.9372).to_radians();
    let transit = days + 0.0053 * anomaly.sin() - 0.0069 * (2.0 * longitude).sin();
    let declination = (longitude.sin() * 23.44_f64.to_radians().sin()).asin();
    let latitude = at.latitude_degrees.to_radians();
    let cos_hour = ((-0.833_f64).to_radians().sin() - latitude.sin() * declination.sin())
        / (latitude.cos() * declination.cos());
    if !(-1.0..=1.0).contains(&cos_hour) {
        return None;
    }
    let share = cos_hour.acos().to_degrees() / 360.0;
    let when = if rising {
        transit - share
    } else {
        transit + share
    };
    let seconds = (when + 10_957.5) * 86_400.0;
    Timestamp::UNIX_EPOCH
        .checked_add(SignedDuration::from_secs_f64(seconds))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: Option<Vec<Day>>, start: Option<u16>, end: Option<u16>, zone: &str) -> Hours {
        let clock = |m: Option<u16>| m.map(TimeOfDay::Clock);
        Hours::new(
            Schedule {
                days,
                start: clock(start),
                end: clock(end),
            },
            TimeZone::get(zone).unwrap(),
            None,
        )
    }

    fn ts(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn past_midnight_belongs_to_the_day_it_starts_on() {
        // Friday nights, 22:00 to 06:00.
        let h = hours(Some(vec![Day::Fri]), Some(22 * 60), Some(6 * 60), "UTC");
        for (at, open) in [
            ("2026-01-02T21:59:59Z", false), // a Friday
            ("2026-01-02T22:00:00Z", true),
            ("2026-01-03T05:59:59Z", true),
            ("2026-01-03T06:00:00Z", false),
            ("2026-01-03T23:00:00Z", false),
            ("2026-01-02T03:00:00Z", false),
        ] {
            assert_eq!(h.open(ts(at)), open, "{at}");
        }
        assert_eq!(
            h.next_change(ts("2026-01-02T12:00:00Z")),
            Some(ts("2026-01-02T22:00:00Z"))
        );
    }

    #[test]
    fn local_time_follows_the_zone_through_its_change() {
        // Berlin moves from UTC+1 to UTC+2 on 2026-03-29.
        let h = hours(None, Some(8 * 60), Some(18 * 60), "Europe/Berlin");
        assert!(!h.open(ts("2026-03-28T06:30:00Z")));
        assert!(h.open(ts("2026-03-28T07:00:00Z")));
        assert!(h.open(ts("2026-03-30T06:00:00Z")));
        assert!(!h.open(ts("2026-03-30T16:00:00Z")));
        // 02:30 does not exist that night.
        let h = hours(None, Some(2 * 60 + 30), Some(4 * 60), "Europe/Berlin");
        assert_eq!(
            h.next_change(ts("2026-03-29T00:00:00Z")),
            Some(ts("2026-03-29T01:30:00Z"))
        );
    }

    #[test]
    fn open_ends() {
        let h = hours(None, Some(22 * 60), None, "UTC");
        assert!(h.open(ts("2026-01-02T23:59:59Z")) && !h.open(ts("2026-01-03T00:00:00Z")));
        let h = hours(None, None, Some(6 * 60), "UTC");
        assert!(h.open(ts("2026-01-02T00:00:00Z")) && !h.open(ts("2026-01-02T06:00:00Z")));
        let h = hours(Some(vec![Day::Sat, Day::Sun]), None, None, "UTC");
        assert!(h.open(ts("2026-01-03T00:00:00Z")) && !h.open(ts("2026-01-05T00:00:00Z")));
    }

    #[test]
    fn the_sun_is_good_to_minutes() {
        let near = |date: Date, p: Position, rising: bool, want: &str| {
            let got = sun(date, p, rising).unwrap();
            let off = got.duration_since(ts(want)).as_secs().abs();
            assert!(off < 300, "{date} {got} is {off} s from {want}");
        };
        let greenwich = Position {
            latitude_degrees: 51.4779,
            longitude_degrees: 0.0,
        };
        // Published almanac times for Greenwich, summer and winter solstice.
        near(
            Date::constant(2026, 6, 21),
            greenwich,
            true,
            "2026-06-21T03:43:00Z",
        );
        near(
            Date::constant(2026, 6, 21),
            greenwich,
            false,
            "2026-06-21T20:21:00Z",
        );
        near(
            Date::constant(2026, 12, 21),
            greenwich,
            true,
            "2026-12-21T08:04:00Z",
        );
        near(
            Date::constant(2026, 12, 21),
            greenwich,
            false,
            "2026-12-21T15:53:00Z",
        );
        let tromso = Position {
            latitude_degrees: 69.65,
            longitude_degrees: 18.96,
        };
        assert_eq!(sun(Date::constant(2026, 12, 21), tromso, true), None);
    }
}
