//! What runs are built from: descriptions filled in, worked out once.

use std::path::PathBuf;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::choice::Choice;
use crate::description::{Description, Variant};
use crate::remote::Access;
use crate::{CameraConfig, CaptureError, Pipelines, launch};

/// What takes an encoder's place when none works: pictures go nowhere, and the
/// rest of the branch hangs on a source that never gives any.
const NOTHING: &str =
    "fakesink sync=false async=false enable-last-sample=false appsrc is-live=true format=time";

/// Everything that a run is built from.
pub(crate) struct Plan {
    pub pipelines: Pipelines,
    live: Description,
    source: Description,
    variants: Vec<Variant>,
    encoders: Vec<Encoder>,
    pub subject: String,
    pub exists: Vec<PathBuf>,
    pub loops: bool,
    pub repeat: bool,
    pub max_width: u32,
    pub watchdog: Duration,
    pub access: Option<Access>,
}

/// An encoder whose elements are installed.
struct Encoder {
    name: String,
    text: String,
    description: Description,
}

impl Plan {
    pub fn new(pipelines: &Pipelines, config: &CameraConfig) -> Result<Self, CaptureError> {
        let source = pipelines.source(&config.source.name)?;
        let given = &config.source.values;
        let exists = source.exists.iter().filter_map(|name| {
            match given.get(name).or_else(|| source.text.defaults.get(name))? {
                crate::Value::Text(path) => Some(PathBuf::from(path)),
                crate::Value::Int(_) => None,
            }
        });
        Ok(Self {
            subject: source.called(given)?,
            live: pipelines.live.clone(),
            source: source.text.clone(),
            variants: source.variants(given)?,
            encoders: encoders(pipelines, config)?,
            pipelines: pipelines.clone(),
            exists: exists.collect(),
            loops: source.loops,
            repeat: config.source.repeat,
            max_width: config.max_width,
            watchdog: config.watchdog,
            access: config.source.access.clone(),
        })
    }

    /// The first of everything.
    pub fn choice(&self) -> Choice {
        Choice::new(self.encoders.len(), self.variants.len())
    }

    /// The name of the encoder of this number.
    pub fn encoder(&self, number: usize) -> &str {
        self.encoders.get(number).map_or("none", |e| &e.name)
    }

    /// What is special about the variant of this number.
    pub fn variant(&self, number: usize) -> &str {
        self.variants.get(number).map_or("", |v| &v.name)
    }

    /// The file that names the places of the live pipeline.
    pub fn file(&self) -> &std::path::Path {
        &self.live.file
    }

    /// Builds the pipeline without starting it.
    pub fn build(&self, choice: &Choice) -> Result<gst::Pipeline, CaptureError> {
        let encoder = choice.encoder().and_then(|n| self.encoders.get(n));
        let source = &self.variants[choice.variant()].text;
        let encoding = encoder.map_or(NOTHING, |encoder| &encoder.text);
        let text = (self.live).compose(&[("source", source), ("encoder", encoding)])?;
        let mut parts = vec![&self.live, &self.source];
        parts.extend(encoder.map(|encoder| &encoder.description));
        let pipeline = launch::parse(&self.pipelines, &text, &parts)?;
        let file = self.file();
        for name in ["video", "to_encoder", "to_inference", "inference_size"] {
            launch::pad(&launch::named(&pipeline, name, file)?, "sink", file)?;
        }
        launch::pad(
            &launch::named(&pipeline, "to_inference", file)?,
            "src",
            file,
        )?;
        for name in ["encoded", "inference"] {
            launch::appsink(&pipeline, name, file)?;
        }
        if self.loops {
            let file = &self.source.file;
            launch::pad(&launch::named(&pipeline, "pace", file)?, "sink", file)?;
        }
        if let Some(access) = &self.access {
            let file = &self.source.file;
            let camera = launch::named(&pipeline, "camera", file)?;
            (access.apply(&camera)).map_err(|why| CaptureError::Description {
                file: file.clone(),
                why,
            })?;
        }
        // RTSP's pipelines run on the same clock, so times carry over.
        pipeline.use_clock(Some(&gst::SystemClock::obtain()));
        Ok(pipeline)
    }
}

/// The encoders that were asked for, or those of `live.toml`, as far as their
/// elements are installed. If none is, the error is the last one's: the most
/// common encoder, which is the one to install, stands at the end.
fn encoders(pipelines: &Pipelines, config: &CameraConfig) -> Result<Vec<Encoder>, CaptureError> {
    let names = if config.encoders.is_empty() {
        &pipelines.encoder_order
    } else {
        &config.encoders
    };
    let mut installed = vec![];
    let mut failure = None;
    for name in names {
        let description = pipelines.encoder(name)?;
        let text = description.render(&config.encoder_values)?;
        match launch::try_part(pipelines, &text, description) {
            Ok(()) => installed.push(Encoder {
                name: name.clone(),
                text,
                description: description.clone(),
            }),
            Err(why) => {
                tracing::info!("the encoder {name} is passed over: {why}");
                failure = Some(why);
            }
        }
    }
    match (installed.is_empty(), failure) {
        (true, Some(failure)) => Err(failure),
        _ => Ok(installed),
    }
}
