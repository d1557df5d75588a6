//! The look thread: owns the source and the model, carries out one order at a
//! time, and tells how the source is doing.

use std::time::Duration;

use scene::ports::{FrameSource, Model, SourceState};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::watch::{Looked, Order};

/// How long a look waits for a frame.
const FRAME_WAIT: Duration = Duration::from_secs(5);

/// What the look thread tells the watch loop.
#[derive(Debug)]
pub(super) enum News {
    /// An order was carried out.
    Looked(Looked),
    /// The source's state changed.
    Source(SourceState),
}

/// Runs until `orders` closes or nobody listens any more.
pub(super) fn run(
    mut source: Box<dyn FrameSource>,
    mut model: Box<dyn Model>,
    mut orders: Receiver<Order>,
    news: Sender<News>,
) {
    let mut known = SourceState::Live;
    while let Some(order) = orders.blocking_recv() {
        let frame = source.next(FRAME_WAIT);
        let state = source.state();
        if state != known {
            known = state.clone();
            if news.blocking_send(News::Source(state)).is_err() {
                return;
            }
        }
        let seen = frame.map(|frame| {
            let sight = model.look(
                &frame,
                &order.zones,
                &order.questions,
                order.detect,
                order.deadline,
            );
            (frame, sight)
        });
        let looked = Looked {
            number: order.number,
            seen,
        };
        if news.blocking_send(News::Looked(looked)).is_err() {
            return;
        }
    }
}
