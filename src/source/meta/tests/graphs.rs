//! Graphs made here, for what the fixtures do not have.

use std::collections::{BTreeMap, HashMap};

use prost::Message;

use super::{field, wire};
use crate::catalog::{Hyperparameter, Update};
use crate::proto::{
    AttrValue, NodeDef, SaveSliceInfoDef, TensorProto, TensorShapeProto, VariableDef,
    attr_value::Value,
};
use crate::source::meta::{Content, MetaError, content};
use Hyperparameter::{Computed, Value as Number, Variable};

fn node(name: &str, op: &str, inputs: &[&str]) -> NodeDef {
    let input = inputs.iter().map(|&input| input.to_owned()).collect();
    NodeDef { name: name.to_owned(), op: op.to_owned(), input, attr: HashMap::new() }
}

fn constant(name: &str, float: f32) -> NodeDef {
    let tensor = TensorProto {
        dtype: 1,
        tensor_shape: Some(TensorShapeProto::default()),
        float_val: vec![float],
        ..TensorProto::default()
    };
    let value = AttrValue { value: Some(Value::Tensor(tensor)) };
    let attr = HashMap::from([("value".to_owned(), value)]);
    NodeDef { attr, ..node(name, "Const", &[]) }
}

/// What a file with these nodes says, besides those that every graph here has.
fn of(nodes: &[NodeDef]) -> Result<Vec<Update>, MetaError> {
    let always = [
        node("w", "VarHandleOp", &[]),
        node("w/slot", "VarHandleOp", &[]),
        node("step", "VariableV2", &[]),
        node("g", "MatMul", &[]),
        constant("c", 0.1),
        constant("d", 0.5),
    ];
    let nodes: Vec<u8> =
        always.iter().chain(nodes).flat_map(|node| field(1, &node.encode_to_vec())).collect();
    content(&mut wire(&field(2, &nodes))).map(|content| content.updates)
}

fn rate_of(nodes: &[NodeDef], input: &str) -> Hyperparameter {
    let step = node("update", "ResourceApplyGradientDescent", &["w", input, "g", "^c"]);
    let updates = of(&[nodes, &[step]].concat()).unwrap();
    let [update] = updates.as_slice() else { panic!("{updates:?}") };
    assert_eq!((update.op, update.variable.as_str()), ("ApplyGradientDescent", "w"));
    update.hyperparameters["alpha"].clone()
}

#[test]
fn values_are_followed_to_where_they_come_from() {
    let nodes = [
        node("read", "ReadVariableOp", &["step:0"]),
        node("switch", "Switch", &["read", "g"]),
        node("cast", "Cast", &["switch:1"]),
        node("sum", "AddV2", &["c:0", "d"]),
        node("product", "Mul", &["sum", "read"]),
        node("identity", "Identity", &["product"]),
        node("a", "Identity", &["b"]),
        node("b", "AddV2", &["a", "a"]),
    ];
    for (input, expected) in [
        ("c:0", Number(0.1)),
        ("sum", Number(0.6)),
        ("step", Variable("step".to_owned())),
        ("cast", Variable("step".to_owned())),
        ("product", Computed("product".to_owned())),
        ("identity", Computed("product".to_owned())),
        ("g", Computed("g".to_owned())),
        ("a", Computed("b".to_owned())),
    ] {
        assert_eq!(rate_of(&nodes, input), expected, "{input}");
    }
}

#[test]
fn a_long_way_is_given_up() {
    let name = |at: usize| format!("n{at}");
    let chain: Vec<_> =
        (0..100_000).map(|at| node(&name(at), "Identity", &[&name(at + 1)])).collect();
    let chain = [chain, vec![constant("n100000", 3.0)]].concat();
    assert!(matches!(rate_of(&chain, "n0"), Computed(_)));
    assert_eq!(rate_of(&chain, "n99990"), Number(3.0));
}

#[test]
fn indices_follow_the_gradient() {
    let inputs = ["w", "w/slot", "c", "g", "g", "d"];
    let mut step = node("update", "ResourceSparseApplyMomentum", &inputs);
    let yes = AttrValue { value: Some(Value::B(true)) };
    step.attr.insert("use_nesterov".to_owned(), yes);
    let [update] = of(&[step]).unwrap().try_into().unwrap();
    assert_eq!((update.op, update.nesterov), ("ApplyMomentum", true));
    assert_eq!(update.slots, ["w/slot"]);
    let expected = [("lr", Number(0.1)), ("momentum", Number(0.5))];
    assert_eq!(update.hyperparameters, BTreeMap::from(expected));
}

#[test]
fn parts_that_are_updated_alike_are_one() {
    let parts = ["w/part_0", "w/part_1"];
    let variables = parts.map(|part| node(part, "VariableV2", &[]));
    let steps = parts
        .map(|part| node(&format!("{part}/update"), "ApplyGradientDescent", &[part, "c", "g"]));
    assert_eq!(of(&[&variables[..], &steps].concat()).unwrap().len(), 2);

    let nodes = [&variables[..], &[constant("c", 1.0), node("g", "Mul", &[])], &steps].concat();
    let definitions: Vec<u8> = parts
        .iter()
        .flat_map(|part| {
            let whole = SaveSliceInfoDef { full_name: "w".to_owned() };
            let definition = VariableDef {
                variable_name: format!("{part}:0"),
                save_slice_info_def: Some(whole),
            };
            field(1, &definition.encode_to_vec())
        })
        .collect();
    let collection = [field(1, b"variables"), field(2, &field(2, &definitions))].concat();
    let graph: Vec<u8> = nodes.iter().flat_map(|n| field(1, &n.encode_to_vec())).collect();
    let Content { order, updates, .. } =
        content(&mut wire(&[field(2, &graph), field(4, &collection)].concat())).unwrap();
    assert_eq!(order, ["w"]);
    let [update] = updates.as_slice() else { panic!("{updates:?}") };
    assert_eq!(update.variable, "w");
}

#[test]
fn what_updates_no_variable_is_left_out() {
    let steps = [
        node("short", "ApplyMomentum", &["w"]),
        node("shorter", "ApplyGradientDescent", &["w", "c"]),
        node("none", "ApplyGradientDescent", &[]),
        node("computed", "ApplyGradientDescent", &["g", "c", "g"]),
        node("slotless", "ApplyMomentum", &["w", "g", "c", "g", "c"]),
    ];
    assert_eq!(of(&steps).unwrap(), []);
    assert!(of(&[node("lost", "ApplyGradientDescent", &["w", "nowhere", "g"])]).is_err());
}
