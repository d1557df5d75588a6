use tokio::sync::mpsc;

/// Stands for a message that the broker still holds. Dropping it lets the
/// broker forget the message; until then a crash makes it come again.
///
/// The broker is told in the order of arrival, so a receipt that is kept long
/// holds back those after it. Let go of those of questions at once.
#[derive(Debug, Default)]
pub struct Receipt {
    holds: Option<(u64, mpsc::Sender<u64>)>,
}

impl Receipt {
    /// For a message that needs none (QoS 0, or made up by a test).
    pub fn none() -> Self {
        Self::default()
    }

    pub(super) fn new(arrival: u64, done: mpsc::Sender<u64>) -> Self {
        Self {
            holds: Some((arrival, done)),
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if let Some((arrival, done)) = self.holds.take() {
            // The channel has room for all that the broker may have under way
            // (receive maximum). If a broker breaks that limit, or the
            // connection is gone, the message comes again.
            let _ = done.try_send(arrival);
        }
    }
}
