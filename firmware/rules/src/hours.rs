//! When a schedule is open, in local wall time.

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
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

/// Which side of a span.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

/// Whether the sun comes up or goes down then; `None` for times of the clock.
fn rising(time: TimeOfDay) -> Option<bool> {
    match time {
        TimeOfDay::Clock(_) => None,
        TimeOfDay::Sunrise => Some(true),
        TimeOfDay::Sunset => Some(false),
    }
}

/// Minutes after midnight; 06:00 and 18:00 stand for the sun where nothing
/// better is known.
fn nominal_minutes(time: TimeOfDay) -> u16 {
    match time {
        TimeOfDay::Clock(m) => m,
        TimeOfDay::Sunrise => 6 * 60,
        TimeOfDay::Sunset => 18 * 60,
    }
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

    /// When `time` comes on `date`, as the `edge` of a span. A time that the
    /// clocks skip is the moment at which they do; of one that comes twice a
    /// start is the first and an end the second.
    fn at(&self, date: Date, time: TimeOfDay, edge: Edge) -> Option<Timestamp> {
        if let (Some(position), Some(rising)) = (self.position, rising(time)) {
            return sun(date, position, rising);
        }
        let minutes = nominal_minutes(time);
        let time = Time::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0).ok()?;
        let local = self.zone.to_ambiguous_zoned(date.to_datetime(time));
        match (local.offset(), edge) {
            (AmbiguousOffset::Gap { .. }, _) => {
                let before = local.earlier().ok()?.timestamp();
                Some(self.zone.following(before).next()?.timestamp())
            }
            (_, Edge::Start) => Some(local.earlier().ok()?.timestamp()),
            (_, Edge::End) => Some(local.later().ok()?.timestamp()),
        }
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
        let start = self.schedule.start.unwrap_or(midnight);
        let end = self.schedule.end.unwrap_or(midnight);
        let last_day = if nominal_minutes(end) > nominal_minutes(start) {
            date
        } else {
            date.checked_add(1.day()).ok()?
        };
        let start = self.at(date, start, Edge::Start)?;
        let end = self.at(last_day, end, Edge::End)?;
        (start < end).then_some((start, end))
    }

    /// All spans that can matter within a week of `now`.
    fn spans_around(&self, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let today = now.to_zoned(self.zone.clone()).date();
        (-2..=8i64)
            .filter_map(|n| self.span(today.checked_add(n.days()).ok()?))
            .collect()
    }

    /// Whether it is open at `now`. A span holds its start and not its end.
    pub fn open(&self, now: Timestamp) -> bool {
        within(&self.spans_around(now), now)
    }

    /// When it next opens or closes after `now`; `None` if not within a week.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let spans = self.spans_around(now);
        let open = within(&spans, now);
        let mut turns: Vec<Timestamp> = spans.iter().flat_map(|(a, b)| [*a, *b]).collect();
        turns.sort();
        (turns.into_iter()).find(|t| *t > now && within(&spans, *t) != open)
    }
}

fn within(spans: &[(Timestamp, Timestamp)], now: Timestamp) -> bool {
    spans.iter().any(|(start, end)| *start <= now && now < *end)
}

/// Sunrise or sunset on `date` to the minute (the sun's upper edge on the
/// horizon, 90.833° from the zenith) by the sunrise equation with the
/// low-precision solar position of the Astronomical Almanac; good to a few
/// minutes. Where the sun does not rise, both are at noon, so that the night is
/// whole; where it does not set, both are at midnight, so that the day is.
fn sun(date: Date, at: Position, rising: bool) -> Option<Timestamp> {
    let noon = date.to_datetime(Time::new(12, 0, 0, 0).ok()?);
    let noon_utc = TimeZone::UTC
        .to_ambiguous_zoned(noon)
        .compatible()
        .ok()?
        .timestamp();
    // Days since J2000.0 (2000-01-01 12:00) of mean solar noon here.
    let days = noon_utc.as_second() as f64 / 86_400.0 - 10_957.5 - at.longitude_degrees / 360.0;
    let place = |days: f64| {
        let anomaly = (357.5291 + 0.985_600_28 * days).to_radians();
        let centre =
            1.9148 * anomaly.sin() + 0.02 * (2.0 * anomaly).sin() + 0.0003 * (3.0 * anomaly).sin();
        let longitude = (anomaly.to_degrees() + centre + 180.0 + 102.9372).to_radians();
        let transit = days + 0.0053 * anomaly.sin() - 0.0069 * (2.0 * longitude).sin();
        (longitude, transit)
    };
    let (longitude, transit) = place(days);
    let declination = (longitude.sin() * 23.44_f64.to_radians().sin()).asin();
    let latitude = at.latitude_degrees.clamp(-90.0, 90.0).to_radians();
    let cos_hour = ((-0.833_f64).to_radians().sin() - latitude.sin() * declination.sin())
        / (latitude.cos() * declination.cos());
    let side = if rising { -1.0 } else { 1.0 };
    let when = if cos_hour <= -1.0 {
        // Reckoned for midnight itself, so that one day's is the next day's.
        place(days + side * 0.5).1
    } else if cos_hour >= 1.0 {
        transit
    } else {
        transit + side * cos_hour.acos().to_degrees() / 360.0
    };
    // NaN, of a position that is none, fails here.
    let minutes = ((when + 10_957.5) * 1_440.0).round();
    let since_epoch = minutes
        .is_finite()
        .then(|| SignedDuration::from_secs(minutes as i64 * 60))?;
    Timestamp::UNIX_EPOCH.checked_add(since_epoch).ok()
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
            Some(ts("2026-03-29T01:00:00Z"))
        );
    }

    #[test]
    fn a_repeated_hour_is_open_both_times() {
        // Berlin moves back from 03:00 to 02:00 on 2026-10-25, at 01:00 UTC.
        let h = hours(None, Some(2 * 60 + 15), Some(2 * 60 + 45), "Europe/Berlin");
        assert_eq!(
            h.next_change(ts("2026-10-25T00:00:00Z")),
            Some(ts("2026-10-25T00:15:00Z"))
        );
        assert_eq!(
            h.next_change(ts("2026-10-25T00:50:00Z")),
            Some(ts("2026-10-25T01:45:00Z"))
        );
    }

    #[test]
    fn a_day_that_a_zone_skips_has_no_hours() {
        // Samoa went from 2011-12-29 (a Thursday) to the 31st.
        let h = hours(None, Some(8 * 60), Some(18 * 60), "Pacific/Apia");
        assert!(!h.open(ts("2011-12-30T11:00:00Z"))); // 01:00 on the 31st
        assert!(h.open(ts("2011-12-30T19:00:00Z"))); // 09:00 on the 31st
    }

    #[test]
    fn an_open_schedule_changes_where_it_says() {
        let zones = [
            "UTC",
            "Europe/Berlin",
            "America/Havana",
            "Australia/Lord_Howe",
        ];
        for zone in zones {
            let h = hours(
                Some(vec![Day::Sat, Day::Sun]),
                Some(23 * 60),
                Some(60),
                zone,
            );
            let mut at = ts("2026-01-01T00:00:00Z");
            for _ in 0..250 {
                let Some(next) = h.next_change(at) else {
                    panic!("{zone}: no change within a week after {at}");
                };
                assert!(next > at);
                let before = next - SignedDuration::from_nanos(1);
                assert_eq!(h.open(before), h.open(at), "{zone} {at}");
                assert_ne!(h.open(next), h.open(at), "{zone} {at}");
                at = next;
            }
        }
    }

    #[test]
    fn edges_of_time_do_not_panic() {
        let h = hours(None, Some(22 * 60), Some(6 * 60), "America/New_York");
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
            h.open(at);
            h.next_change(at);
        }
        let nowhere = Position {
            latitude_degrees: f64::NAN,
            longitude_degrees: f64::INFINITY,
        };
        let night = Schedule {
            days: None,
            start: Some(TimeOfDay::Sunset),
            end: Some(TimeOfDay::Sunrise),
        };
        let h = Hours::new(night, TimeZone::UTC, Some(nowhere));
        assert!(!h.open(ts("2026-01-01T00:00:00Z")));
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
        let on = |y, m, d, rising| sun(Date::constant(y, m, d), tromso, rising).unwrap();
        assert_eq!(on(2026, 12, 21, true), on(2026, 12, 21, false));
        assert_eq!(on(2026, 6, 21, false), on(2026, 6, 22, true));
    }
}
