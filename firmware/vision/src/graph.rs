//! One ONNX graph: loaded, its tensors checked by name, type and rank. Every
//! error names the graph's file and the tensor.

use std::borrow::Cow;
use std::path::Path;

use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::{DynValue, Outlet, Tensor, TensorElementType};

use crate::brake::{Halt, Stop};
use crate::package::Problem;
use crate::runtime::Runtime;

pub(crate) type Inputs<'v> = Vec<(Cow<'v, str>, SessionInputValue<'v>)>;

/// A loaded graph.
#[derive(Debug)]
pub(crate) struct Graph {
    place: String,
    bytes: u64,
    session: Session,
    /// Whether an input is f16: then what is given in f32 is rounded.
    halves: bool,
}

impl Graph {
    /// Loads `path` to run on `threads` threads.
    pub fn load(runtime: &Runtime, path: &Path, threads: usize) -> Result<Self, Problem> {
        let place = path.display().to_string();
        if !path.is_file() {
            return Err(Problem::new(place, "is missing; fetch the package again"));
        }
        let load = || -> Result<Session, String> {
            // Threads that spin while they wait burn the watts that we count.
            Session::builder(&runtime.environment)
                .map_err(|e| e.to_string())?
                .with_intra_threads(threads.max(1))
                .map_err(|e| e.to_string())?
                .with_inter_threads(1)
                .map_err(|e| e.to_string())?
                .with_intra_op_spinning(false)
                .map_err(|e| e.to_string())?
                .commit_from_file(path)
                .map_err(|e| e.to_string())
        };
        let session = load().map_err(|why| {
            let what = format!(
                "ONNX Runtime can't load it ({why}); the file is damaged or of an unknown kind"
            );
            Problem::new(&place, what)
        })?;
        let bytes = path.metadata().map_or(0, |file| file.len());
        let half = |i: &Outlet| i.dtype().tensor_type() == Some(TensorElementType::Float16);
        let halves = session.inputs().iter().any(half);
        Ok(Self {
            place,
            bytes,
            session,
            halves,
        })
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    /// Size of its file, nearly all of it weights.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn has_input(&self, name: &str) -> bool {
        self.session.inputs().iter().any(|i| i.name() == name)
    }

    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.session.inputs().iter().map(Outlet::name)
    }

    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.session.outputs().iter().map(Outlet::name)
    }

    /// The element type and shape (-1 where free) of input `name`, which must be
    /// there with one of `types` and `rank` dimensions.
    pub fn input(
        &self,
        name: &str,
        types: &[TensorElementType],
        rank: usize,
    ) -> Result<(TensorElementType, Vec<i64>), Problem> {
        self.tensor("input", self.session.inputs(), name, types, rank)
    }

    /// Likewise of output `name`.
    pub fn output(
        &self,
        name: &str,
        types: &[TensorElementType],
        rank: usize,
    ) -> Result<(TensorElementType, Vec<i64>), Problem> {
        self.tensor("output", self.session.outputs(), name, types, rank)
    }

    fn tensor(
        &self,
        side: &str,
        outlets: &[Outlet],
        name: &str,
        types: &[TensorElementType],
        rank: usize,
    ) -> Result<(TensorElementType, Vec<i64>), Problem> {
        let problem = |what: String| Err(Problem::new(&self.place, what));
        let Some(outlet) = outlets.iter().find(|o| o.name() == name) else {
            let known: Vec<_> = outlets.iter().map(Outlet::name).take(8).collect();
            return problem(format!(
                "has no {side} '{name}'; it has {}",
                known.join(", ")
            ));
        };
        let (Some(ty), Some(shape)) = (outlet.dtype().tensor_type(), outlet.dtype().tensor_shape())
        else {
            return problem(format!("{side} '{name}' is no tensor"));
        };
        if !types.contains(&ty) {
            return problem(format!(
                "{side} '{name}' is of type {ty}; {} is needed",
                types[0]
            ));
        }
        // An exporter may leave a rank unsaid; then a run will show.
        if !shape.is_empty() && shape.len() != rank {
            let dims = shape.len();
            return problem(format!(
                "{side} '{name}' has {dims} dimensions {shape}; {rank} are needed"
            ));
        }
        Ok((ty, shape.to_vec()))
    }

    /// Refuses inputs that nothing here would fill.
    pub fn only_inputs(&self, known: impl Fn(&str) -> bool) -> Result<(), Problem> {
        match self.inputs().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let what =
                    format!("input '{name}' is unknown; this form of graph is not supported");
                Err(Problem::new(&self.place, what))
            }
        }
    }

    /// `inputs` with those rounded to f16 that the graph takes in f16.
    fn narrowed<'v>(&self, inputs: Inputs<'v>) -> Result<Inputs<'v>, Problem> {
        let taken = |name: &str| self.session.inputs().iter().find(|i| i.name() == name);
        let round = |(name, value): (Cow<'v, str>, SessionInputValue<'v>)| {
            let wanted = taken(&name).and_then(|i| i.dtype().tensor_type());
            let given = value.dtype().tensor_type();
            let value = match (wanted, given) {
                (Some(TensorElementType::Float16), Some(TensorElementType::Float32)) => {
                    let (shape, numbers) = value.try_extract_tensor::<f32>()?;
                    let mut short = vec![f16::ZERO; numbers.len()];
                    short.convert_from_f32_slice(numbers);
                    Tensor::from_array((shape.clone(), short))?.into()
                }
                _ => value,
            };
            Ok((name, value))
        };
        let rounded: ort::Result<Inputs> = inputs.into_iter().map(round).collect();
        rounded.map_err(|error| self.problem(error.to_string()))
    }

    /// Runs the graph; ends early when `stop` says so.
    pub fn run<'r>(
        &'r mut self,
        inputs: Inputs<'_>,
        stop: &'r Stop,
    ) -> Result<SessionOutputs<'r>, Halt> {
        stop.check()?;
        let inputs = match self.halves {
            true => self.narrowed(inputs)?,
            false => inputs,
        };
        let place = &self.place;
        self.session
            .run_with_options(inputs, stop.options())
            .map_err(|error| stop.or(Problem::new(place, error.to_string())))
    }

    /// An error of this graph.
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::new(&self.place, what)
    }
}

/// Takes output `name` out of `outputs`. Numbers of 16 bits become f32, but not
/// keys and values: those go back as they are.
pub(crate) fn take(
    outputs: &mut SessionOutputs<'_>,
    name: &str,
    place: &str,
) -> Result<DynValue, Problem> {
    let missing = || Problem::new(place, format!("gave no output '{name}'"));
    let value = outputs.remove(name).ok_or_else(missing)?;
    let short = value.dtype().tensor_type() == Some(TensorElementType::Float16);
    if !short || name.starts_with("present.") {
        return Ok(value);
    }
    let widened = || -> ort::Result<DynValue> {
        let (shape, short) = value.try_extract_tensor::<f16>()?;
        Ok(Tensor::from_array((shape.clone(), short.to_f32_vec()))?.into_dyn())
    };
    widened().map_err(|error| Problem::new(place, format!("output '{name}': {error}")))
}

/// The shape and numbers of an f32 tensor.
pub(crate) fn floats<'v>(
    value: &'v DynValue,
    name: &str,
    place: &str,
) -> Result<(Vec<usize>, &'v [f32]), Problem> {
    let (shape, data) = value
        .try_extract_tensor::<f32>()
        .map_err(|error| Problem::new(place, format!("output '{name}': {error}")))?;
    let shape = shape
        .iter()
        .map(|&d| usize::try_from(d).unwrap_or(0))
        .collect();
    Ok((shape, data))
}
