//! A graph with an op `RestoreV2` for each type of elements, and what makes bytes of its result.

use std::collections::BTreeMap;

use tensorflow::{
    DataType, Graph, Operation, Session, SessionOptions, SessionRunArgs, Status, Tensor as Handed,
};

use super::base64;
use super::library::LibraryError;
use crate::tensor::{DType, Tensor, TensorSpec, strings};

/// TensorFlow, ready to restore tensors of one bundle.
#[derive(Debug)]
pub(super) struct Restore {
    graph: Graph,
    session: Session,
    /// What is fed: the bundle's prefix, and the name of a tensor.
    prefix: Operation,
    name: Operation,
    slice: Operation,
    at: String,
    ways: BTreeMap<DType, Option<Operation>>,
}

/// How bytes are made of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Their bits are taken as they are.
    Bits,
    /// They are bytes after they have been cast to this type.
    Cast(DType),
    /// They are written in base64.
    Text,
}

impl How {
    /// `None` for types that no op hands out.
    fn of(dtype: DType) -> Option<Self> {
        match dtype {
            DType::String => Some(Self::Text),
            DType::Bool | DType::UInt4 => Some(Self::Cast(DType::UInt8)),
            DType::Int4 => Some(Self::Cast(DType::Int8)),
            DType::Float
            | DType::Double
            | DType::Half
            | DType::BFloat16
            | DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64
            | DType::QInt8
            | DType::QUInt8
            | DType::QInt16
            | DType::QUInt16
            | DType::QInt32
            | DType::Complex64
            | DType::Complex128 => Some(Self::Bits),
            _ => None,
        }
    }
}

impl Restore {
    pub(super) fn new(prefix: &str) -> Result<Self, LibraryError> {
        let failed = |status: Status| LibraryError::Session(status.to_string());
        let mut graph = Graph::new();
        let mut fed = |name: &str| -> Result<Operation, Status> {
            let mut op = graph.new_operation("Placeholder", name)?;
            op.set_attr_type("dtype", DataType::String)?;
            op.finish()
        };
        let (prefix_op, name, slice) = (
            fed("prefix").map_err(failed)?,
            fed("name").map_err(failed)?,
            fed("slice").map_err(failed)?,
        );
        let session = Session::new(&SessionOptions::new(), &graph).map_err(failed)?;
        let ways = BTreeMap::new();
        let at = prefix.to_owned();
        Ok(Self { graph, session, prefix: prefix_op, name, slice, at, ways })
    }

    /// Whether values of a type can be handed out.
    pub(super) fn knows(&mut self, dtype: DType) -> bool {
        self.way(dtype).is_some()
    }

    /// One tensor in storage form; the error is what TensorFlow said.
    pub(super) fn tensor(
        &mut self,
        name: &str,
        spec: &TensorSpec,
    ) -> Result<Tensor<'static>, String> {
        let dtype = spec.dtype();
        let unknown = || format!("it has no op to hand out {dtype}");
        let way = self.way(dtype).cloned().ok_or_else(unknown)?;
        let one = |text: &str| Handed::new(&[1]).with_values(&[text.to_owned()]);
        let (name, slice) = (one(name), one(""));
        let (name, slice) =
            (name.map_err(|error| error.to_string())?, slice.map_err(|error| error.to_string())?);
        let at = Handed::from(self.at.clone());
        let mut run = SessionRunArgs::new();
        run.add_feed(&self.prefix, 0, &at);
        run.add_feed(&self.name, 0, &name);
        run.add_feed(&self.slice, 0, &slice);
        if spec.shape().elements() == 0 {
            // What calls TensorFlow cannot take nothing; that it restores is all there is to know.
            run.add_target(&way);
            self.session.run(&mut run).map_err(|status| status.to_string())?;
            let nothing: [&[u8]; 0] = [];
            let data = if dtype == DType::String { strings::encode(&nothing) } else { Vec::new() };
            return Tensor::new(spec.clone(), data).map_err(|error| error.to_string());
        }
        let token = run.request_fetch(&way, 0);
        self.session.run(&mut run).map_err(|status| status.to_string())?;
        let (shape, data) = if How::of(dtype) == Some(How::Text) {
            let texts: Handed<String> = run.fetch(token).map_err(|status| status.to_string())?;
            let strings: Option<Vec<Vec<u8>>> =
                texts.iter().map(|text| base64::decode(text)).collect();
            let strings = strings.ok_or("it handed out what is no base64")?;
            (texts.dims().to_vec(), strings::encode(&strings))
        } else {
            let bytes: Handed<u8> = run.fetch(token).map_err(|status| status.to_string())?;
            let mut dims = bytes.dims().to_vec();
            // The bytes of each element are an axis of their own.
            if dtype.size() != Some(1) {
                dims.pop();
            }
            let mut data = bytes.to_vec();
            if dtype == DType::Int4 {
                // As numbers of 8 bits they have signs where a bundle has zeros.
                for byte in &mut data {
                    *byte &= 0x0f;
                }
            }
            (dims, data)
        };
        if shape != spec.shape().dims() {
            return Err(format!(
                "it read the shape {shape:?}, and the index says {}",
                spec.shape()
            ));
        }
        Tensor::new(spec.clone(), data).map_err(|error| error.to_string())
    }

    fn way(&mut self, dtype: DType) -> Option<&Operation> {
        if !self.ways.contains_key(&dtype) {
            let made = How::of(dtype).and_then(|how| self.make(dtype, how).ok());
            self.ways.insert(dtype, made);
        }
        self.ways.get(&dtype)?.as_ref()
    }

    fn make(&mut self, dtype: DType, how: How) -> Result<Operation, Status> {
        let of = |what: &str| format!("{what}_{}", dtype.number());
        let mut restore = self.graph.new_operation("RestoreV2", &of("restore"))?;
        restore.add_input(self.prefix.clone());
        restore.add_input(self.name.clone());
        restore.add_input(self.slice.clone());
        restore.set_attr_value_proto("dtypes", &types(dtype))?;
        let mut last = restore.finish()?;
        if how == How::Text {
            let mut text = self.graph.new_operation("EncodeBase64", &of("text"))?;
            text.add_input(last);
            text.set_attr_bool("pad", false)?;
            return text.finish();
        }
        let mut from = dtype;
        if let How::Cast(to) = how {
            let mut cast = self.graph.new_operation("Cast", &of("cast"))?;
            cast.add_input(last);
            cast.set_attr_value_proto("SrcT", &one(dtype))?;
            cast.set_attr_value_proto("DstT", &one(to))?;
            (last, from) = (cast.finish()?, to);
        }
        if from == DType::UInt8 {
            return Ok(last);
        }
        let mut bits = self.graph.new_operation("Bitcast", &of("bits"))?;
        bits.add_input(last);
        bits.set_attr_value_proto("T", &one(from))?;
        bits.set_attr_value_proto("type", &one(DType::UInt8))?;
        bits.finish()
    }
}

/// An `AttrValue` that is a type: field 6 of it. What calls TensorFlow has names for few of them.
fn one(dtype: DType) -> Vec<u8> {
    vec![6 << 3, u8::try_from(dtype.number()).unwrap_or_default()]
}

/// One that is a list (field 1) of types (field 6 of that, packed).
fn types(dtype: DType) -> Vec<u8> {
    let packed = [6 << 3 | 2, 1, u8::try_from(dtype.number()).unwrap_or_default()];
    [&[1 << 3 | 2, 3][..], &packed].concat()
}
