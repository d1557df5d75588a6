//! Detectors: a graph of their own, or an extra output of a VLM's vision
//! graph. Both end as calibrated [`Detection`]s in frame coordinates.

mod boxes;

use std::borrow::Cow;

use ort::value::{Tensor, TensorElementType};
use scene::{BBox, Detection, Frame};

use boxes::{calibrated, centre_rows, suppress, yolox_cells, yolox_rows};

use crate::brake::{Halt, Stop};
use crate::graph::{Graph, floats, take};
use crate::package::{Decode, DetectorInput, DetectorSpec, Package, Problem};
use crate::picture::{Picture, Scaler};
use crate::runtime::Runtime;

/// A loaded detector package.
#[derive(Debug)]
pub(crate) struct Detector {
    graph: Graph,
    pub spec: DetectorSpec,
    input: String,
    output: String,
    width: u32,
    height: u32,
    to: DetectorInput,
    scaler: Scaler,
}

const F32: &[TensorElementType] = &[TensorElementType::Float32];

impl Detector {
    /// Loads the graph of `package` and checks its tensors.
    pub fn load(
        runtime: &Runtime,
        package: &Package,
        threads: usize,
    ) -> Result<Self, Vec<Problem>> {
        let place = package.folder().display().to_string();
        let (Some(spec), Some((_, entry))) =
            (package.manifest.detector.clone(), package.graphs().pop())
        else {
            return Err(vec![Problem::new(place, "is no detector package")]);
        };
        let graph = Graph::load(runtime, &package.folder().join(&entry.file), threads);
        graph
            .and_then(|graph| Self::assemble(graph, spec))
            .map_err(|problem| vec![problem])
    }

    fn assemble(graph: Graph, spec: DetectorSpec) -> Result<Self, Problem> {
        let Some(input) = graph.inputs().next().map(str::to_owned) else {
            return Err(graph.problem("has no input"));
        };
        graph.only_inputs(|name| name == input)?;
        let (_, shape) = graph.input(&input, F32, 4)?;
        let side = |at: usize| {
            shape
                .get(at)
                .and_then(|&d| u32::try_from(d).ok())
                .filter(|d| (1..=4096).contains(d))
        };
        let (Some(height), Some(width), Some(3)) = (side(2), side(3), side(1)) else {
            let what = format!(
                "input '{input}' is {shape:?}; [1, 3, height, width] of fixed size is needed"
            );
            return Err(graph.problem(what));
        };
        let output = match (&spec.output, spec.decode) {
            (Some(name), _) => name.clone(),
            (None, Decode::Centre) => "detections".into(),
            (None, Decode::Yolox) => graph.outputs().next().unwrap_or("output").to_owned(),
        };
        let (_, shape) = graph.output(&output, F32, 3)?;
        let row = match spec.decode {
            Decode::Centre => 6,
            Decode::Yolox => 5 + spec.classes.len() as i64,
        };
        if shape.last().is_some_and(|&d| d > 0 && d != row) {
            let what = format!(
                "output '{output}' is {shape:?}; rows of {row} are needed for the {} classes of model.toml",
                spec.classes.len()
            );
            return Err(graph.problem(what));
        }
        if spec.decode == Decode::Yolox {
            let cells = yolox_cells(width, height) as i64;
            if shape.get(1).is_some_and(|&d| d > 0 && d != cells) {
                let what = format!(
                    "output '{output}' is {shape:?}; an input of {width}x{height} has {cells} cells"
                );
                return Err(graph.problem(what));
            }
        }
        Ok(Self {
            to: spec.input.unwrap_or_default(),
            graph,
            spec,
            input,
            output,
            width,
            height,
            scaler: Scaler::default(),
        })
    }

    /// The longer side of what its graph sees, pixels.
    pub fn side(&self) -> u32 {
        self.width.max(self.height)
    }

    /// What is to be seen in `frame`, best first.
    pub fn look(&mut self, frame: &Frame, stop: &Stop) -> Result<Vec<Detection>, Halt> {
        let (picture, _) = Picture::crop(frame, BBox::WHOLE);
        let (pixels, ratio) = self
            .scaler
            .detector_input(picture, self.width, self.height, &self.to)
            .map_err(|why| self.graph.problem(why))?;
        let place = self.graph.place().to_owned();
        let shape = [1, 3, self.height as usize, self.width as usize];
        let tensor = Tensor::from_array((shape, pixels))
            .map_err(|error| Problem::new(&place, format!("input '{}': {error}", self.input)))?;
        let input = Cow::Borrowed(self.input.as_str());
        let mut outputs = self.graph.run(vec![(input, tensor.into())], stop)?;
        let value = take(&mut outputs, &self.output, &place)?;
        let (shape, numbers) = floats(&value, &self.output, &place)?;
        let wrong = |row: usize| {
            let what = format!(
                "output '{}' is {shape:?}; rows of {row} are needed",
                self.output
            );
            Problem::new(&place, what)
        };
        // Size of the frame in input pixels: what undoes the letterbox.
        let whole = (frame.width as f32 * ratio.0, frame.height as f32 * ratio.1);
        let raw = match self.spec.decode {
            Decode::Yolox => {
                let row = 5 + self.spec.classes.len();
                let cells = yolox_cells(self.width, self.height);
                if numbers.len() != cells * row {
                    return Err(wrong(row).into());
                }
                let raw = yolox_rows(numbers, row, (self.width, self.height), whole);
                let kept = calibrated(&self.spec, raw);
                return Ok(suppress(kept, self.spec.nms_iou, self.spec.max_detections));
            }
            Decode::Centre => {
                if shape.last() != Some(&6) {
                    return Err(wrong(6).into());
                }
                let grow = (self.width as f32 / whole.0, self.height as f32 / whole.1);
                centre_rows(numbers.as_chunks::<6>().0, grow)
            }
        };
        Ok(best(calibrated(&self.spec, raw), self.spec.max_detections))
    }
}

/// The detections of a VLM's vision graph, in coordinates of the whole frame.
pub(crate) fn from_rows(spec: &DetectorSpec, rows: &[[f32; 6]]) -> Vec<Detection> {
    best(
        calibrated(spec, centre_rows(rows, (1.0, 1.0))),
        spec.max_detections,
    )
}

fn best(mut detections: Vec<Detection>, at_most: usize) -> Vec<Detection> {
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    detections.truncate(at_most);
    detections
}
