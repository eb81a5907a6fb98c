use std::process::Stdio;

use ckptmap::object::{
    Attribute, Edge, Node, NodeId, ObjectGraph, RegisteredSaver, Slot, VARIABLE_VALUE,
};

use crate::harness::Place;
use crate::rewrite::rewrite;

fn edge(label: &str, node: NodeId) -> Edge {
    Edge { label: label.to_owned(), node }
}

fn slot(name: &str, variable: NodeId, node: NodeId) -> Slot {
    Slot { name: name.to_owned(), variable, node }
}

fn variable(full_name: &str, key: &str) -> Node {
    let (name, full_name, key) = (VARIABLE_VALUE.to_owned(), full_name.to_owned(), key.to_owned());
    Node { attributes: vec![Attribute { name, full_name, key }], ..Node::default() }
}

/// A checkpoint of nothing but these objects.
fn place(nodes: Vec<Node>) -> Place {
    let place = Place::new();
    rewrite(&place, "testdata/saved_model", "m", |content| {
        content.tensors.clear();
        content.graph = Some(ObjectGraph::new(nodes).unwrap());
    });
    place
}

/// Every way in which an edge can be: cycles, an edge to itself, one behind another of its name,
/// state of state, what nothing leads to, and names that mean harm.
fn odd() -> Place {
    let saver = Some(RegisteredSaver { name: "Custom.S".to_owned(), object: "it".to_owned() });
    place(vec![
        Node {
            children: vec![edge("model", 1), edge("opt", 2), edge("model", 3), edge("self", 0)],
            ..Node::default()
        },
        Node { children: vec![edge("w", 3), edge("up", 0), edge("opt", 2)], ..Node::default() },
        Node {
            children: vec![edge("hyper", 4), edge("m", 5)],
            slots: vec![slot("m", 3, 5), slot("v", 3, 6), slot("of_v", 6, 7)],
            ..Node::default()
        },
        variable("w", "somewhere/else/.ATTRIBUTES/VARIABLE_VALUE"),
        Node { saver, ..Node::default() },
        variable("", "opt/m/.ATTRIBUTES/VARIABLE_VALUE"),
        variable("", "model/w/.OPTIMIZER_SLOT/opt/v/.ATTRIBUTES/VARIABLE_VALUE"),
        Node {
            children: vec![edge("\x1b[31m\"\n&lt;\\N", 3), edge("", 9), edge("a/b.c", 10)],
            ..Node::default()
        },
        Node { children: vec![edge("round", 11), edge("w", 3)], ..Node::default() },
        Node::default(),
        Node::default(),
        Node { children: vec![edge("and_round", 8)], ..Node::default() },
        Node { children: vec![edge("state", 8)], ..Node::default() },
    ])
}

/// Every form takes no more than so many lines (JSON nine times as many) and bytes.
fn is_shown_within(place: &Place, lines: usize, bytes: usize) {
    for form in ["", "--dot", "--json"] {
        let said = place.ok(&format!("graph m {form}"));
        let (shown, most) =
            (said.lines().count(), if form == "--json" { 9 * lines } else { lines });
        assert!(shown <= most, "{form}: {shown} lines");
        assert!(said.len() <= bytes, "{form}: {} bytes", said.len());
    }
}

#[test]
fn keras_2() {
    insta::assert_snapshot!(Place::new().run("graph testdata/tf2_keras2"));
}

#[test]
fn keras_3() {
    insta::assert_snapshot!(Place::new().run("graph testdata/tf2_keras3"));
}

#[test]
fn slots_stand_below_their_optimizer() {
    insta::assert_snapshot!(Place::new().run("graph testdata/tf2_keras2_legacy"));
}

#[test]
fn a_saved_model() {
    insta::assert_snapshot!(Place::new().run("graph testdata/saved_model"));
}

#[test]
fn a_module_with_a_table() {
    let place = Place::new();
    insta::assert_snapshot!(place.run("graph testdata/tf2_module"));
    insta::assert_snapshot!(place.ok("graph testdata/tf2_module --dot"));
}

#[test]
fn everything_odd() {
    let place = odd();
    insta::assert_snapshot!(place.run("graph m"));
    insta::assert_snapshot!(place.ok("graph m --dot"));
    insta::assert_snapshot!(place.ok("graph m --json"));
}

#[test]
fn lines_fit_where_names_do() {
    for fixture in ["tf2_keras2", "tf2_keras3", "tf2_keras2_legacy", "saved_model", "tf2_module"] {
        let said = Place::new().ok(&format!("graph testdata/{fixture}"));
        let long: Vec<&str> = said.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{fixture}: {long:?}");
    }
}

#[test]
fn every_object_and_every_reference_is_there_once() {
    let place = odd();
    let (text, json) = (place.ok("graph m"), place.ok("graph m --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["schema"], 1);
    let count = |key: &str| json[key].as_array().unwrap().len();
    let branch = |line: &&str| line.trim_start_matches(['│', ' ']).starts_with(['├', '└']);
    assert_eq!(text.lines().filter(branch).count(), count("edges") + count("slots"));
    assert_eq!(count("nodes"), 13);
    // Each but the root and the tops is led to by the tree or a slot.
    let led = |node: &serde_json::Value| {
        let edges = json["edges"].as_array().unwrap().iter();
        edges.filter(|edge| edge["kind"] == "tree" && edge["to"] == *node).count()
    };
    for node in json["nodes"].as_array().unwrap() {
        assert!(led(&node["id"]) <= 1, "{node}");
        assert!(node["path"].is_null() || led(&node["id"]) == 1 || node["id"] == 0, "{node}");
    }
}

#[test]
fn drawings_are_sound() {
    let fixtures = ["tf2_keras2", "tf2_keras3", "tf2_keras2_legacy", "saved_model", "tf2_module"];
    let drawn = fixtures.map(|name| Place::new().ok(&format!("graph testdata/{name} --dot")));
    for drawing in drawn.into_iter().chain([odd().ok("graph m --dot")]) {
        assert!(drawing.starts_with("digraph \"") && drawing.ends_with("\n}\n"), "{drawing}");
        for line in drawing.lines() {
            // Outside of strings there is nothing but Graphviz's own words.
            let (mut outside, mut quoted, mut escaped) = (String::new(), false, false);
            for c in line.chars() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' if quoted => escaped = true,
                    '"' => quoted = !quoted,
                    c if quoted => assert!(!c.is_control(), "{line:?}"),
                    c => outside.push(c),
                }
            }
            assert!(!quoted && !escaped, "{line}");
            let words = |c: char| c.is_ascii_alphanumeric() || " []{}=->,;".contains(c);
            assert!(outside.chars().all(words), "{line}");
        }
    }
}

#[test]
fn names_do_not_reach_the_terminal_raw() {
    let place = odd();
    for form in ["", "--dot", "--json"] {
        let said = place.ok(&format!("graph m {form}"));
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
}

#[test]
fn lists_of_names_have_no_graph() {
    let said = Place::new().run("graph testdata/conv3/model.ckpt");
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    insta::assert_snapshot!(said.err);
    assert_eq!(Place::new().run("graph testdata/tf2_module --dot --json").code, 2);
}

/// Deeper than any stack, with something beside every link, and edges from everywhere to the end.
#[test]
fn a_chain_of_100_000_objects() {
    const LINKS: usize = 100_000;
    let mut nodes: Vec<Node> = (1..=LINKS)
        .map(|next| Node {
            children: vec![edge("next", next), edge("end", LINKS + 1)],
            ..Node::default()
        })
        .collect();
    // The last link closes the chain; the way to the end is short only from the root.
    nodes.push(Node { children: vec![edge("end", 0)], ..Node::default() });
    nodes.push(Node::default());
    let place = place(nodes);
    is_shown_within(&place, 4 * LINKS, 400 * LINKS);
    let said = place.ok("graph m");
    assert!(said.contains("end -> (root) (cycle)"));
    assert!(said.lines().all(|line| line.chars().count() < 300));
}

/// All of one object with a long path, so that every alias would repeat it.
#[test]
fn aliases_by_the_hundred_thousand() {
    const ALIASES: usize = 200_000;
    // As long as paths may become before numbers take their place.
    const FAR: usize = 17;
    let far: Vec<Node> = (1..=FAR)
        .map(|next| Node { children: vec![edge("far_away", next)], ..Node::default() })
        .collect();
    let mut nodes = far;
    nodes.push(Node::default());
    let aliases = (0..ALIASES).map(|alias| edge(&format!("a{alias}"), FAR));
    let hub = Node { children: aliases.collect(), ..Node::default() };
    nodes[FAR].children.push(edge("hub", FAR + 1));
    nodes.push(hub);
    is_shown_within(&place(nodes), 2 * ALIASES + 300, 240 * ALIASES);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let place = Place::new();
    let mut command = place.command("graph testdata/tf2_keras3");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
}
