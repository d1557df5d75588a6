//! The encoder of one run: what belongs to it, and whether it does its work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::glib::WeakRef;
use gstreamer::prelude::*;

/// Pictures that an encoder may hold before it gives the first one; those
/// with a look-ahead hold some, and a client that leaves leaves them there.
const MOST_HELD: u64 = 30;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Encoding {
    elements: Vec<WeakRef<gst::Element>>,
    work: Arc<Mutex<Work>>,
}

#[derive(Debug, Default)]
struct Work {
    /// Pictures given to it since the last one that it made.
    held: u64,
    since: Option<Instant>,
    made: u64,
}

/// Counts what goes in and what comes out; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Work>>);

fn lock(work: &Mutex<Work>) -> MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    /// A picture was given to the encoder.
    pub fn fed(&self) {
        let mut work = lock(&self.0);
        work.held += 1;
        work.since.get_or_insert_with(Instant::now);
    }

    /// The encoder made one.
    pub fn made(&self) {
        let mut work = lock(&self.0);
        (work.held, work.since) = (0, None);
        work.made += 1;
    }
}

impl Encoding {
    /// That of `pipeline`: everything from `to_encoder` to the branch's end. An
    /// error of theirs means that the encoder is broken, not the source.
    pub fn of(pipeline: &gst::Pipeline) -> Self {
        let mut found: Vec<gst::Element> = pipeline.by_name("to_encoder").into_iter().collect();
        let mut next = 0;
        while let Some(element) = found.get(next) {
            let peers = element.src_pads().into_iter().filter_map(|pad| pad.peer());
            let after: Vec<_> = peers.filter_map(|peer| peer.parent_element()).collect();
            for element in after {
                if !found.contains(&element) {
                    found.push(element);
                }
            }
            next += 1;
        }
        Self {
            elements: found.iter().map(|element| element.downgrade()).collect(),
            work: Arc::default(),
        }
    }

    pub fn meter(&self) -> Meter {
        Meter(self.work.clone())
    }

    /// Pictures that it has made.
    pub fn made(&self) -> u64 {
        lock(&self.work).made
    }

    /// Whether `object` is one of its elements or in one.
    pub fn has(&self, object: &gst::Object) -> bool {
        let mut place = Some(object.clone());
        while let Some(object) = place {
            let mut mine = self.elements.iter().filter_map(WeakRef::upgrade);
            if mine.any(|element| *element.upcast_ref::<gst::Object>() == object) {
                return true;
            }
            place = object.parent();
        }
        false
    }

    /// Whether it has turned down what was pushed to it. An encoder that can't
    /// take the size or format of the pictures says so by that alone, and the
    /// source, which gets the answer, is the one that complains.
    pub fn turned_down(&self) -> bool {
        let queue = self.elements.first().and_then(WeakRef::upgrade);
        let pad = queue.and_then(|queue| queue.static_pad("src"));
        pad.is_some_and(|pad| {
            matches!(
                pad.last_flow_result(),
                Err(gst::FlowError::NotNegotiated
                    | gst::FlowError::NotSupported
                    | gst::FlowError::Error
                    | gst::FlowError::CustomError
                    | gst::FlowError::CustomError1
                    | gst::FlowError::CustomError2)
            )
        })
    }

    /// The element that refuses to start, if one does, in a pipeline that has
    /// just refused to. Its state tells nothing by then, so each is tried.
    pub fn refuses(&self) -> Option<gst::Element> {
        let mut all = self.elements.iter().filter_map(WeakRef::upgrade);
        all.find(|element| {
            let refused = [gst::State::Ready, gst::State::Paused]
                .iter()
                .any(|state| element.set_state(*state).is_err());
            // NULL can't be refused.
            let _ = element.set_state(gst::State::Null);
            refused
        })
    }

    /// Whether it takes pictures and has made none of them for so long.
    pub fn hangs(&self, limit: Duration) -> bool {
        let work = lock(&self.work);
        work.held > MOST_HELD && work.since.is_some_and(|since| since.elapsed() > limit)
    }
}
