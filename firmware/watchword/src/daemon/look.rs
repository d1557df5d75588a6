//! The look thread: owns the source and the model, and carries out one order
//! at a time.

use std::time::Duration;

use scene::ports::{FrameSource, Model};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::watch::{Looked, Order};

/// How long a look waits for a frame.
const FRAME_WAIT: Duration = Duration::from_secs(5);

/// Runs until `orders` closes or nobody listens any more.
pub(super) fn run(
    mut source: Box<dyn FrameSource>,
    mut model: Box<dyn Model>,
    mut orders: Receiver<Order>,
    news: Sender<Looked>,
) {
    while let Some(order) = orders.blocking_recv() {
        let frame = source.next(FRAME_WAIT);
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
        if news.blocking_send(looked).is_err() {
            return;
        }
    }
}
