use std::io::Write;

use super::{BEGINNING, PAGE, SCRIPT, STYLE, data::Inert, markup};

#[test]
fn it_needs_nothing_else() {
    for part in [PAGE, STYLE, SCRIPT] {
        for word in ["http:", "https:", "src=", "@import", "url(", "innerHTML", "eval("] {
            assert!(!part.contains(word), "{word}");
        }
    }
    assert!(PAGE.starts_with(BEGINNING));
    assert_eq!(PAGE.matches("{{").count(), 6);
}

#[test]
fn data_ends_no_script() {
    let mut out = Vec::new();
    let text = "a</script><b>&amp;\u{2028}";
    serde_json::to_writer(Inert(&mut out), text).unwrap();
    let written = String::from_utf8(out).unwrap();
    assert!(!written.contains(['<', '>', '&']), "{written}");
    assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    let mut out = Vec::new();
    Inert(&mut out).write_all(b"<<&x").unwrap();
    assert_eq!(out, br"\u003c\u003c\u0026x");
    assert_eq!(markup("<a \"b\" & c>"), "&lt;a &quot;b&quot; &amp; c&gt;");
}
