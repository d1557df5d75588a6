//! The look thread: owns the source, the model and the cap on the frequency,
//! and carries out one order at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use scene::ports::{FrameSource, Model, Throttle};
use scene::{Frame, OperatingPoint, Sight};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::watch::{Looked, Order, Unseen};

/// How long a look waits for a frame.
const FRAME_WAIT: Duration = Duration::from_secs(5);

/// What looks with.
pub(super) struct Looker {
    pub source: Box<dyn FrameSource>,
    pub model: Box<dyn Model>,
    pub throttle: Box<dyn Throttle>,
    /// The number of the order that was given up last: one that waits for a
    /// frame has nothing to cancel yet.
    pub given_up: Arc<AtomicU64>,
}

impl Looker {
    /// Runs until `orders` closes or nobody listens any more.
    pub(super) fn run(mut self, mut orders: Receiver<Order>, news: &Sender<Looked>) {
        // A model that offers nothing to choose from is left as it is.
        let mut at = self.model.points().into_iter().next();
        let mut cap = None;
        while let Some(order) = orders.blocking_recv() {
            let seen = match self.run_at(&order.point, &mut at, &mut cap) {
                Ok(()) => self.look(&order),
                Err(why) => Err(Unseen::NoPoint(why)),
            };
            let number = order.number;
            if news.blocking_send(Looked { number, seen }).is_err() {
                break;
            }
        }
        if cap.is_some()
            && let Err(why) = self.throttle.cap(None)
        {
            tracing::warn!("the cap on the processor's frequency stays: {why}");
        }
    }

    fn look(&mut self, order: &Order) -> Result<(Frame, Sight), Unseen> {
        let frame = self.source.next(FRAME_WAIT).ok_or(Unseen::NoFrame)?;
        if self.given_up.load(Ordering::Acquire) == order.number {
            return Err(Unseen::GivenUp);
        }
        let sight = self.model.look(
            &frame,
            &order.zones,
            &order.questions,
            order.detect,
            order.deadline,
        );
        Ok((frame, sight))
    }

    /// Goes from point `at` and `cap` to `point`, if it is another one. After
    /// an error it stays where it is.
    fn run_at(
        &mut self,
        point: &OperatingPoint,
        at: &mut Option<OperatingPoint>,
        cap: &mut Option<u32>,
    ) -> Result<(), String> {
        if point.cap_mhz != *cap {
            self.throttle.cap(point.cap_mhz)?;
            *cap = point.cap_mhz;
        }
        let wanted = OperatingPoint {
            cap_mhz: None,
            ..point.clone()
        };
        if at.as_ref().is_some_and(|at| *at != wanted) {
            self.model.run_at(&wanted)?;
            tracing::info!(%point, "another operating point");
            *at = Some(wanted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use scene::ports::{Knowledge, SourceState};
    use scene::{Question, Zone};
    use sim::{SimClock, SimModel, SimSource};
    use tokio::sync::mpsc;

    use super::*;

    /// Notes what it is told, and fails at 64 px.
    struct Notes {
        inner: SimModel,
        notes: Arc<Mutex<Vec<String>>>,
    }

    impl Model for Notes {
        fn knowledge(&self) -> Arc<dyn Knowledge> {
            self.inner.knowledge()
        }

        fn points(&self) -> Vec<OperatingPoint> {
            vec!["f32/256px/1t/2c".parse().unwrap()]
        }

        fn run_at(&mut self, point: &OperatingPoint) -> Result<(), String> {
            if point.resolution == 64 {
                return Err("too small".into());
            }
            self.notes.lock().unwrap().push(point.to_string());
            Ok(())
        }

        fn look(
            &mut self,
            frame: &Frame,
            zones: &[Zone],
            questions: &[Question],
            detect: bool,
            deadline: Duration,
        ) -> Sight {
            self.notes.lock().unwrap().push("look".into());
            (self.inner).look(frame, zones, questions, detect, deadline)
        }
    }

    struct Caps(Arc<Mutex<Vec<String>>>);

    impl Throttle for Caps {
        fn cap(&mut self, mhz: Option<u32>) -> Result<(), String> {
            self.0.lock().unwrap().push(format!("{mhz:?}"));
            Ok(())
        }
    }

    /// A source whose next frame comes after the order was given up.
    struct Slow(SimSource, Arc<AtomicU64>);

    impl FrameSource for Slow {
        fn next(&mut self, timeout: Duration) -> Option<Frame> {
            self.1.store(5, Ordering::Release);
            self.0.next(timeout)
        }

        fn state(&self) -> SourceState {
            self.0.state()
        }

        fn dropped(&self) -> u64 {
            0
        }
    }

    #[test]
    fn points_and_caps_are_set_when_they_change_and_lifted_at_the_end() {
        let notes = Arc::new(Mutex::new(Vec::new()));
        let given_up = Arc::new(AtomicU64::new(0));
        let source = SimSource::new(SimClock::new(None), 32, 32);
        let looker = Looker {
            source: Box::new(Slow(source, given_up.clone())),
            model: Box::new(Notes {
                inner: SimModel::new(&[]),
                notes: notes.clone(),
            }),
            throttle: Box::new(Caps(notes.clone())),
            given_up,
        };
        let (order, orders) = mpsc::channel(8);
        let (tell, mut news) = mpsc::channel(8);
        let points = [
            "f32/256px/1t/2c",
            "f32/128px/1t/2c/600MHz",
            "f32/128px/1t/2c/600MHz",
            "f32/64px/1t/2c/600MHz",
            "f32/128px/1t/2c/600MHz",
        ];
        for (number, point) in (1..).zip(points) {
            let order_ = Order {
                number,
                questions: Vec::new(),
                zones: Vec::new(),
                detect: false,
                deadline: Duration::from_secs(5),
                point: point.parse().unwrap(),
            };
            order.blocking_send(order_).unwrap();
        }
        drop(order);
        looker.run(orders, &tell);
        drop(tell);
        let mut seen = Vec::new();
        while let Some(looked) = news.blocking_recv() {
            seen.push(looked.seen.err());
        }
        let no_point = Unseen::NoPoint("too small".into());
        assert_eq!(
            seen,
            [None, None, None, Some(no_point), Some(Unseen::GivenUp)]
        );
        assert_eq!(
            *notes.lock().unwrap(),
            [
                "look",
                "Some(600)",
                "f32/128px/1t/2c",
                "look",
                "look",
                "None"
            ]
        );
    }
}
