//! Numbers in a graph, and arithmetic among them.

use crate::proto::{AttrValue, NodeDef, TensorProto, attr_value::Value};
use crate::tensor::DType;

/// The number that a `Const` of a single element holds, as its program wrote it: a float's 0.1 is
/// 0.1 and not the nearest fraction of powers of two.
pub(super) fn value(node: &NodeDef) -> Option<f64> {
    match node.attr.get("value") {
        Some(AttrValue { value: Some(Value::Tensor(tensor)) }) => number(tensor),
        _ => None,
    }
}

/// Half-precision numbers are left out: TF1's optimizers keep settings in float32 and cast them.
fn number(tensor: &TensorProto) -> Option<f64> {
    let shape = tensor.tensor_shape.as_ref();
    if shape.is_some_and(|shape| shape.unknown_rank || shape.dim.iter().any(|dim| dim.size != 1)) {
        return None;
    }
    // Zeros may be left out.
    let raw = tensor.tensor_content.as_slice();
    match DType::from_number(tensor.dtype)? {
        DType::Float => {
            let listed = tensor.float_val.first().copied().unwrap_or_default();
            written(content(raw, f32::from_le_bytes, listed)?)
        }
        DType::Double => {
            content(raw, f64::from_le_bytes, tensor.double_val.first().copied().unwrap_or_default())
        }
        DType::Int32 => {
            let listed = tensor.int_val.first().copied().unwrap_or_default();
            content(raw, i32::from_le_bytes, listed).map(f64::from)
        }
        DType::Int64 => {
            let listed = tensor.int64_val.first().copied().unwrap_or_default();
            i32::try_from(content(raw, i64::from_le_bytes, listed)?).ok().map(f64::from)
        }
        _ => None,
    }
}

/// `raw` as a number, or what is listed where there is nothing.
fn content<T, const N: usize>(raw: &[u8], from: fn([u8; N]) -> T, listed: T) -> Option<T> {
    if raw.is_empty() { Some(listed) } else { raw.try_into().ok().map(from) }
}

/// The shortest decimal number that is this float.
fn written(float: f32) -> Option<f64> {
    float.to_string().parse().ok()
}

/// What an op makes of two numbers; `None` for ops that are no arithmetic. TF2's Ftrl adds beta to
/// its l2 in the graph.
pub(super) fn folded(op: &str) -> Option<fn(f64, f64) -> f64> {
    Some(match op {
        "Add" | "AddV2" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        "RealDiv" => |a, b| a / b,
        "Maximum" => f64::max,
        "Minimum" => f64::min,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{TensorShapeProto, tensor_shape_proto::Dim};

    fn tensor(dtype: DType, dims: &[i64]) -> TensorProto {
        let dim = dims.iter().map(|&size| Dim { size, name: String::new() }).collect();
        let shape = TensorShapeProto { dim, unknown_rank: false };
        TensorProto { dtype: dtype.number(), tensor_shape: Some(shape), ..TensorProto::default() }
    }

    #[test]
    fn a_number_in_any_place() {
        let float = TensorProto { float_val: vec![0.013], ..tensor(DType::Float, &[]) };
        assert_eq!(number(&float), Some(0.013));
        assert_eq!(number(&TensorProto { float_val: vec![1e-36], ..float }), Some(1e-36));
        assert_eq!(number(&tensor(DType::Float, &[1])), Some(0.0));
        let raw = 0.9_f32.to_le_bytes().to_vec();
        assert_eq!(
            number(&TensorProto { tensor_content: raw, ..tensor(DType::Float, &[]) }),
            Some(0.9)
        );
        let double = TensorProto { double_val: vec![0.1], ..tensor(DType::Double, &[]) };
        assert_eq!(number(&double), Some(0.1));
        let int = TensorProto { int_val: vec![-3], ..tensor(DType::Int32, &[]) };
        assert_eq!(number(&int), Some(-3.0));
        let long = TensorProto { int64_val: vec![7], ..tensor(DType::Int64, &[]) };
        assert_eq!(number(&long), Some(7.0));
    }

    #[test]
    fn what_is_no_single_number() {
        let short = TensorProto { tensor_content: vec![1, 2], ..tensor(DType::Float, &[]) };
        for tensor in [
            tensor(DType::Float, &[2]),
            tensor(DType::Float, &[0]),
            tensor(DType::String, &[]),
            short,
        ] {
            assert_eq!(number(&tensor), None, "{tensor:?}");
        }
    }
}
